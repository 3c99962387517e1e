#include "rtp/ulpfec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "rtp/wire.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtp {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

/// A media packet as it stands on the wire: numbers with a header extension, sizes that differ.
Bytes media(std::uint16_t sequence) {
    Packet head;
    head.marker = sequence % 3 == 0;
    head.payload_type = 96;
    head.sequence = sequence;
    head.timestamp = 90'000u + sequence / 3 * 3000u;
    head.ssrc = 0xabcd;
    const std::array<std::uint8_t, 3> value{1, 2, static_cast<std::uint8_t>(sequence & 0xff)};
    const std::vector<Extension> extensions{{3, value}};
    Bytes bytes(written_size(extensions));
    write_header(bytes, head, extensions);
    for (unsigned i = 0; i < 20u + sequence % 7 * 11; ++i) bytes.push_back(static_cast<std::uint8_t>(i * sequence));
    return bytes;
}

/// RFC 5109 section 8: what protects these.
Bytes protect(const std::vector<std::uint16_t>& sequences, bool is_long = false, std::size_t covered = SIZE_MAX) {
    Bytes header(10), body;
    std::uint64_t mask = 0;
    for (const auto sequence : sequences) {
        const auto bytes = media(sequence);
        header[0] ^= static_cast<std::uint8_t>(bytes[0] & 0x3f);
        header[1] ^= bytes[1];
        for (std::size_t i = 4; i < 8; ++i) header[i] ^= bytes[i];
        header[8] ^= static_cast<std::uint8_t>((bytes.size() - 12) >> 8);
        header[9] ^= static_cast<std::uint8_t>((bytes.size() - 12) & 0xff);
        body.resize(std::max(body.size(), bytes.size() - 12));
        for (std::size_t i = 12; i < bytes.size(); ++i) body[i - 12] ^= bytes[i];
        mask |= 1ull << (47 - static_cast<std::uint16_t>(sequence - sequences.front()));
    }
    put16(header.data() + 2, sequences.front());
    body.resize(std::min(body.size(), covered));
    if (is_long) header[0] |= 0x40;
    append_number(header, body.size(), 2);
    append_number(header, is_long ? mask : mask >> 32, is_long ? 6 : 2);
    header.insert(header.end(), body.begin(), body.end());
    return header;
}

class UlpfecTest : public ::testing::Test {
protected:
    void come(std::uint16_t sequence) {
        const auto bytes = media(sequence);
        const auto buffer = kept(bytes);
        ulpfec_.media(parse_packet({buffer.data(), bytes.size()}), buffer);
        take();
    }
    void fec(const Bytes& bytes) {
        const auto buffer = kept(bytes);
        ulpfec_.fec({buffer.data(), bytes.size()}, buffer);
        take();
    }
    Buffer kept(const Bytes& bytes) {
        Buffer buffer(host_.table(), bytes.size());
        std::copy(bytes.begin(), bytes.end(), buffer.data());
        return buffer;
    }
    void take() {
        while (const auto one = ulpfec_.recovered()) {
            rebuilt_.push_back(one->packet.sequence);
            EXPECT_THAT(one->packet.whole, ElementsAreArray(media(one->packet.sequence)));
        }
    }

    testkit::FakeHost host_;
    Ulpfec ulpfec_{Context(host_.table(), host_.context())};
    std::vector<std::uint16_t> rebuilt_;
};

TEST_F(UlpfecTest, ALostPacketIsRebuiltFromTheOthersOfItsMask) {
    for (const auto first : {std::uint16_t{100}, std::uint16_t{65'534}}) {  // also where numbers wrap
        const auto at = [&](unsigned i) { return static_cast<std::uint16_t>(first + i); };
        rebuilt_.clear();
        come(at(0));
        come(at(2));
        come(at(3));
        fec(protect({at(0), at(1), at(2), at(3)}));
        EXPECT_THAT(rebuilt_, ElementsAre(at(1)));
    }
}

TEST_F(UlpfecTest, ALongMaskReaches48Packets) {
    for (std::uint16_t i = 0; i < 47; ++i) come(static_cast<std::uint16_t>(500 + i));
    std::vector<std::uint16_t> all;
    for (std::uint16_t i = 0; i < 48; ++i) all.push_back(static_cast<std::uint16_t>(500 + i));
    fec(protect(all, true));
    EXPECT_THAT(rebuilt_, ElementsAre(547));
}

TEST_F(UlpfecTest, TwoOfOneMaskWaitForOneOfThem) {
    come(10);
    fec(protect({10, 11, 12}));
    EXPECT_TRUE(rebuilt_.empty());
    come(12);
    EXPECT_THAT(rebuilt_, ElementsAre(11));
    fec(protect({20, 21, 22}));
    come(20);
    fec(protect({22, 23}));
    come(23);
    EXPECT_THAT(rebuilt_, ElementsAre(11, 22, 21)) << "what was rebuilt helps to rebuild";
}

TEST_F(UlpfecTest, NothingIsMadeUp) {
    come(30);
    come(31);
    fec(protect({30, 31}));
    EXPECT_TRUE(rebuilt_.empty()) << "all are there";
    fec(protect({31, 32}, false, 10));
    EXPECT_TRUE(rebuilt_.empty()) << "a level that covers a part of the packet gives none";
    for (std::uint16_t i = 0; i < 40; ++i)
        fec(protect({static_cast<std::uint16_t>(1000 + 3 * i), static_cast<std::uint16_t>(1001 + 3 * i)}));
    for (std::uint16_t i = 33; i < 300; ++i) come(i);
    EXPECT_TRUE(rebuilt_.empty());
}

TEST_F(UlpfecTest, TornPacketsAreRefused) {
    auto torn = protect({1, 2});
    torn.pop_back();
    EXPECT_THROW(fec(torn), Malformed);
    EXPECT_THROW(fec(Bytes(9)), Malformed);
    EXPECT_THROW(fec({0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff}), Malformed);
}

}  // namespace
}  // namespace tapedeck::rtp
