#include "box_walker.hpp"

#include <algorithm>
#include <stdexcept>

namespace tapedeck::mp4::test {
namespace {

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
    std::uint64_t value = 0;
    for (const auto byte : bytes) value = value << 8 | byte;
    return value;
}

std::vector<BoxAt> children(const BoxAt& parent) {
    return boxes_in(parent.payload, parent.at + 8);
}

}  // namespace

std::uint64_t BoxAt::number(std::size_t offset, std::size_t count) const {
    if (offset + count > payload.size()) throw std::out_of_range(type);
    return big_endian(std::span(payload).subspan(offset, count));
}

std::vector<BoxAt> boxes_in(std::span<const std::uint8_t> bytes, std::uint64_t base) {
    std::vector<BoxAt> boxes;
    for (std::size_t at = 0; at < bytes.size();) {
        if (bytes.size() - at < 8) throw std::runtime_error("a box header is cut");
        BoxAt box;
        box.at = base + at;
        box.size = big_endian(bytes.subspan(at, 4));
        box.type.assign(reinterpret_cast<const char*>(bytes.data()) + at + 4, 4);
        if (box.size == 1) box.size = big_endian(bytes.subspan(at + 8, 8));
        if (box.size < 8 || box.size > bytes.size() - at) throw std::runtime_error(box.type + " does not fit");
        const auto payload = bytes.subspan(at + 8, box.size - 8);
        if (box.type != "mdat") box.payload.assign(payload.begin(), payload.end());
        at += box.size;
        boxes.push_back(std::move(box));
    }
    return boxes;
}

std::string order_of(std::span<const std::uint8_t> file) {
    std::string order;
    for (const auto& box : boxes_in(file)) order += (order.empty() ? "" : " ") + box.type;
    return order;
}

std::vector<BoxAt> all(std::span<const std::uint8_t> bytes, const std::string& path) {
    std::vector<BoxAt> level = boxes_in(bytes);
    for (std::size_t from = 0;;) {
        const auto slash = path.find('/', from);
        const auto type = path.substr(from, slash == std::string::npos ? slash : slash - from);
        std::erase_if(level, [&](const BoxAt& b) { return b.type != type; });
        if (slash == std::string::npos) return level;
        std::vector<BoxAt> next;
        for (const auto& b : level) std::ranges::move(children(b), std::back_inserter(next));
        level = std::move(next);
        from = slash + 1;
    }
}

BoxAt box(std::span<const std::uint8_t> bytes, const std::string& path, std::size_t nth) {
    auto found = all(bytes, path);
    if (found.size() <= nth) throw std::runtime_error("no " + path);
    return found[nth];
}

std::vector<SampleAt> samples_of(std::span<const std::uint8_t> moov, std::size_t nth) {
    const BoxAt trak = box(moov, "trak", nth);
    const std::string stbl = "mdia/minf/stbl/";
    const auto table = [&](const char* type) { return all(trak.payload, stbl + type); };
    const BoxAt sizes = table("stsz").at(0);
    std::vector<SampleAt> samples(sizes.u32(8));
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].size = sizes.u32(12 + 4 * i);

    std::size_t at = 0;
    std::int64_t time = 0;
    const BoxAt durations = table("stts").at(0);
    for (std::size_t entry = 0; entry < durations.u32(4); ++entry)
        for (std::uint32_t i = 0; i < durations.u32(8 + 8 * entry); ++i, ++at) {
            samples.at(at).dts = time;
            samples.at(at).duration = durations.u32(12 + 8 * entry);
            time += samples[at].duration;
        }
    if (at != samples.size()) throw std::runtime_error("stts does not cover the samples");
    for (const BoxAt& ctts : table("ctts")) {
        at = 0;
        for (std::size_t entry = 0; entry < ctts.u32(4); ++entry)
            for (std::uint32_t i = 0; i < ctts.u32(8 + 8 * entry); ++i)
                samples.at(at++).composition = ctts.u32(12 + 8 * entry);
        if (at != samples.size()) throw std::runtime_error("ctts does not cover the samples");
    }
    const auto keys = table("stss");
    for (auto& sample : samples) sample.key = keys.empty();
    if (!keys.empty())
        for (std::size_t i = 0; i < keys[0].u32(4); ++i) samples.at(keys[0].u32(8 + 4 * i) - 1).key = true;

    const bool wide = table("stco").empty();
    const BoxAt chunks = wide ? table("co64").at(0) : table("stco").at(0);
    const BoxAt runs = table("stsc").at(0);
    at = 0;
    std::size_t run = 0;
    for (std::uint32_t chunk = 0; chunk < chunks.u32(4); ++chunk) {
        while (run + 1 < runs.u32(4) && runs.u32(8 + 12 * (run + 1)) <= chunk + 1) ++run;
        std::uint64_t position = wide ? chunks.u64(8 + 8 * chunk) : chunks.u32(8 + 4 * chunk);
        for (std::uint32_t i = 0; i < runs.u32(12 + 12 * run); ++i, ++at) {
            samples.at(at).at = position;
            samples[at].description = runs.u32(16 + 12 * run);
            position += samples[at].size;
        }
    }
    if (at != samples.size()) throw std::runtime_error("the chunks do not cover the samples");
    return samples;
}

}  // namespace tapedeck::mp4::test
