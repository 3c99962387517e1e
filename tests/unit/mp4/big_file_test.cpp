// Recordings of more than 4 GiB, in a file that keeps only what is not payload.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "box_walker.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

/// Remembers writes below 64 KB and the length; what was not remembered reads as zeros. Blocks can be inserted.
class SparseFile : public td_file {
public:
    SparseFile() { table = &functions(); }

    std::vector<std::uint8_t> read(std::uint64_t at, std::size_t size) const {
        std::vector<std::uint8_t> bytes(size);
        for (const auto& [start, part] : parts_)
            for (auto from = std::max(start, at); from < std::min(start + part.size(), at + size); ++from)
                bytes[from - at] = part[from - start];
        return bytes;
    }
    std::uint64_t size() const { return size_; }

private:
    static SparseFile& self(td_file* file) { return *static_cast<SparseFile*>(file); }

    static const td_file_table& functions() {
        static constexpr td_file_table table{
            sizeof(td_file_table),
            0,
            [](td_file* file, std::uint64_t at, const td_bytes* spans, std::size_t count, td_error*) {
                SparseFile& f = self(file);
                for (std::size_t i = 0; i < count; ++i) {
                    if (spans[i].size < 65536) {
                        auto& part = f.parts_[at];
                        part.resize(std::max(part.size(), spans[i].size));
                        std::copy_n(spans[i].data, spans[i].size, part.begin());
                    }
                    f.size_ = std::max(f.size_, at += spans[i].size);
                }
                return td_status{TD_OK};
            },
            nullptr,
            [](td_file* file, std::uint64_t* bytes, td_error*) {
                *bytes = self(file).size_;
                return td_status{TD_OK};
            },
            nullptr,
            [](td_file* file, std::uint64_t at, std::uint64_t count, td_error*) {
                SparseFile& f = self(file);
                std::map<std::uint64_t, std::vector<std::uint8_t>> moved;
                for (auto& [start, part] : f.parts_) moved[start >= at ? start + count : start] = std::move(part);
                f.parts_ = std::move(moved);
                f.size_ += count;
                return td_status{TD_OK};
            },
            nullptr,
            [](td_file*, td_error*) { return td_status{TD_OK}; },
            nullptr};
        return table;
    }

    std::map<std::uint64_t, std::vector<std::uint8_t>> parts_;
    std::uint64_t size_ = 0;
};

TEST(BigFile, HasWideOffsetsAndSizesBeyondFourGibibytes) {
    Session session;
    SparseFile file;
    const Clip clip = make_clip().only(Clip::video);
    const td_track* track = &clip.tracks[0].track;
    session.writer.open(File(&file), session.recording(), {&track, 1});
    constexpr std::size_t size = 30 << 20;
    OwnedPacket packet(session.context(), Clip::video, std::vector<std::uint8_t>(size), 0);
    constexpr std::uint32_t count = 150;
    for (std::uint32_t i = 0; i < count; ++i) {
        packet.packet.pts = packet.packet.dts = i * 1000;
        packet.packet.duration = 1000;
        session.writer.write(packet.packet);
        session.writer.flush();
    }
    session.writer.finish();
    EXPECT_GT(file.size(), std::uint64_t{4} << 30);

    std::uint64_t at = 0;
    std::string order;
    std::vector<std::uint8_t> moov;
    while (at < file.size()) {
        auto head = file.read(at, 16);
        std::string type(head.begin() + 4, head.begin() + 8);
        std::uint64_t length = std::uint64_t{head[0]} << 24 | head[1] << 16 | head[2] << 8 | head[3];
        if (length == 1) {
            length = 0;
            for (int i = 8; i < 16; ++i) length = length << 8 | head[static_cast<std::size_t>(i)];
        }
        if (type == "moov") moov = file.read(at, length);
        order += type + " ";
        at += length;
    }
    EXPECT_EQ(order, "ftyp free moov free mdat ");
    EXPECT_EQ(at, file.size());
    EXPECT_EQ(all(moov, "moov/trak/mdia/minf/stbl/co64").size(), 1u);
    const auto samples = samples_of(box(moov, "moov").payload, 0);
    ASSERT_EQ(samples.size(), count);
    for (const SampleAt& sample : samples) {
        const auto before = file.read(sample.at - 8, 8);
        EXPECT_EQ(std::string(before.begin() + 4, before.end()), "mdat") << sample.at;
        EXPECT_EQ(sample.size, size);
    }
    EXPECT_GT(samples.back().at, std::uint64_t{4} << 30);
}

}  // namespace
}  // namespace tapedeck::mp4::test
