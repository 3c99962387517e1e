// Numbers, sizes and slots of EBML.
#include "elements.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "walker.hpp"

namespace tapedeck::ebml::test {
namespace {

Bytes hex(std::string_view text) {
    Bytes out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    return out;
}

TEST(Elements, SizesTakeTheLeastBytesAndNeverAllOnes) {
    const std::pair<std::uint64_t, std::string_view> rows[]{
        {0, "ec80"},       {1, "ec81"},         {126, "ecfe"},          {127, "ec407f"},
        {16382, "ec7ffe"}, {16383, "ec203fff"}, {2097151, "ec101fffff"}};
    for (const auto& [size, bytes] : rows) {
        Bytes out;
        ElementWriter(out).header(id_void, size);
        EXPECT_EQ(out, hex(bytes)) << size;
        EXPECT_EQ(parse_header(out)->size, size);
    }
}

TEST(Elements, EveryHeaderIsReadAsItWasWritten) {
    for (unsigned shift = 0; shift < 56; ++shift) {
        for (const std::uint64_t size : {(std::uint64_t{1} << shift) - 1, std::uint64_t{1} << shift}) {
            Bytes out;
            ElementWriter(out).header(id_cluster, size);
            const auto header = parse_header(out);
            ASSERT_TRUE(header);
            EXPECT_EQ(header->id, id_cluster);
            EXPECT_EQ(header->size, size);
            EXPECT_EQ(header->header_size, out.size());
            for (std::size_t length = 0; length < out.size(); ++length)
                EXPECT_FALSE(parse_header(View(out).first(length))) << size << ' ' << length;
        }
    }
}

TEST(Elements, AnUnknownSizeIsTakenForOneInAnyWidth) {
    for (const std::string_view bytes : {"18538067ff", "185380677fff", "1853806701ffffffffffffff"})
        EXPECT_EQ(parse_header(hex(bytes))->size, unknown_size);
    Bytes out;
    ElementWriter(out).header(id_segment, unknown_size, 8);
    EXPECT_EQ(out, hex("1853806701ffffffffffffff"));
}

TEST(Elements, WhatCannotBeAHeaderIsNone) {
    for (const std::string_view bytes : {"", "00", "0f84", "ec", "ec00", "ec40"})
        EXPECT_FALSE(parse_header(hex(bytes)));
}

TEST(Elements, NumbersTakeTheLeastBytes) {
    Bytes out;
    ElementWriter writer(out);
    writer.number(id_timestamp, 0);
    writer.number(id_timestamp, 255);
    writer.number(id_timestamp, 256);
    EXPECT_EQ(out, hex("e78100"
                       "e781ff"
                       "e7820100"));
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-128},
          std::int64_t{-129}, std::int64_t{-20'000'000}, std::numeric_limits<std::int64_t>::min(),
          std::numeric_limits<std::int64_t>::max()}) {
        out.clear();
        writer.signed_number(id_reference_block, value);
        Node whole;
        whole.content = out;
        EXPECT_EQ(whole.one(id_reference_block).signed_number(), value);
    }
    out.clear();
    writer.signed_number(id_reference_block, -128);
    EXPECT_EQ(out, hex("fb8180"));
}

TEST(Elements, AVoidHasExactlyTheSizeAskedFor) {
    for (std::uint64_t size = 2; size < 300; ++size) {
        Bytes out;
        ElementWriter(out).filler(size);
        EXPECT_EQ(out.size(), size);
        Node whole;
        whole.content = out;
        EXPECT_EQ(whole.children().size(), 1u) << size;
    }
}

TEST(Elements, ASlotIsFilledExactlyWhateverItHolds) {
    for (std::size_t content = 0; content <= 200 - 10; ++content) {
        Bytes out;
        ElementWriter(out).slot(id_seek_head, Bytes(content, 1), 200);
        EXPECT_EQ(out.size(), 200u);
        Node whole;
        whole.content = out;
        const auto parts = whole.children();
        ASSERT_EQ(parts.size(), 2u) << content;
        EXPECT_EQ(parts[0].content.size(), content);
        EXPECT_EQ(parts[1].id, id_void);
    }
}

TEST(Elements, AnElementThatIsNotWholeIsNotTaken) {
    const Bytes bytes =
        hex("e781ff"
            "e7820100"
            "e78401");
    View rest = bytes;
    EXPECT_EQ(next_element(rest)->number(), 255u);
    EXPECT_EQ(next_element(rest)->number(), 256u);
    EXPECT_FALSE(next_element(rest));
    EXPECT_EQ(rest.size(), 3u);
    EXPECT_FALSE(find(bytes, id_void));
}

}  // namespace
}  // namespace tapedeck::ebml::test
