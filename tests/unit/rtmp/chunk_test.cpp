#include "rtmp/chunk.hpp"

#include <gtest/gtest.h>

#include <string>

#include "bytes.hpp"

namespace tapedeck::rtmp {
namespace {

struct Whole {
    MessageType type;
    std::uint32_t stream, timestamp;
    Bytes payload;
    bool operator==(const Whole&) const = default;
};

void PrintTo(const Whole& whole, std::ostream* out) {
    *out << "type " << int(whole.type) << " stream " << whole.stream << " time " << whole.timestamp << ", "
         << whole.payload.size() << " bytes";
}

/// Reads `bytes` in portions of `portion`.
std::vector<Whole> read(ChunkReader& reader, ByteSpan bytes, std::size_t portion = SIZE_MAX) {
    std::vector<Whole> messages;
    while (!bytes.empty()) {
        // A copy that goes away after the read, as the shared read buffer does.
        const auto part = bytes.first(std::min(portion, bytes.size()));
        const Bytes copy(part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        Batch batch;
        reader.read(copy, batch);
        for (const auto& message : batch.messages)
            messages.push_back({message.type, message.stream, message.timestamp, batch.gather(message)});
    }
    return messages;
}

std::vector<Whole> read(const Bytes& bytes, ChunkLimits limits = {}) {
    ChunkReader reader(limits);
    return read(reader, bytes);
}

TEST(ChunkHeader, ReadsAllFormsOfTheChunkStreamId) {
    for (const auto& [bytes, id, size] : {std::tuple{"c3", 3u, 1u},
                                          {"ff", 63u, 1u},
                                          {"c000", 64u, 2u},
                                          {"c0ff", 319u, 2u},
                                          {"c10000", 64u, 3u},
                                          {"c1ffff", 65599u, 3u}}) {
        const auto header = parse_chunk_header(hex(bytes));
        ASSERT_TRUE(header) << bytes;
        EXPECT_EQ(header->chunk_stream, id) << bytes;
        EXPECT_EQ(header->size, size) << bytes;
        EXPECT_EQ(header->format, 3) << bytes;
    }
}

TEST(ChunkHeader, ReadsTheFieldsOfEachFormat) {
    const auto full = parse_chunk_header(hex("03 000102 000304 09 05000000"));
    ASSERT_TRUE(full);
    EXPECT_EQ(full->time, 0x102u);
    EXPECT_EQ(full->length, 0x304u);
    EXPECT_EQ(full->type, 9);
    EXPECT_EQ(full->message_stream, 5u) << "the stream id is little-endian";
    const auto medium = parse_chunk_header(hex("43 000102 000304 08"));
    ASSERT_TRUE(medium);
    EXPECT_EQ(medium->size, 8u);
    EXPECT_EQ(medium->length, 0x304u);
    const auto small = parse_chunk_header(hex("83 000102"));
    ASSERT_TRUE(small);
    EXPECT_EQ(small->size, 4u);
    EXPECT_EQ(small->time, 0x102u);
}

TEST(ChunkHeader, AsksForMoreWhereBytesEnd) {
    const auto full = hex("01 ffff 000102 000304 09 05000000");
    for (std::size_t size = 0; size < full.size(); ++size)
        EXPECT_FALSE(parse_chunk_header(ByteSpan(full).first(size))) << size;
    EXPECT_TRUE(parse_chunk_header(full));
}

TEST(ChunkReader, PutsTheChunksOfOneMessageTogether) {
    const auto payload = counting(300);
    const auto part = [&](int from, int to) { return Bytes(payload.begin() + from, payload.begin() + to); };
    const auto bytes =
        join({hex("04 000064 00012c 09 01000000"), part(0, 128), {0xc4}, part(128, 256), {0xc4}, part(256, 300)});
    EXPECT_EQ(read(bytes), (std::vector<Whole>{{MessageType::video, 1, 100, payload}}));
}

TEST(ChunkReader, TellsInterleavedChunkStreamsApart) {
    const auto video = counting(200), audio = counting(150, 77);
    const auto part = [](const Bytes& whole, int from, int to) {
        return Bytes(whole.begin() + from, whole.begin() + to);
    };
    const auto bytes = join({hex("06 000028 0000c8 09 01000000"),
                             part(video, 0, 128),
                             hex("04 000017 000096 08 01000000"),
                             part(audio, 0, 128),
                             {0xc6},
                             part(video, 128, 200),
                             {0xc4},
                             part(audio, 128, 150)});
    EXPECT_EQ(read(bytes),
              (std::vector<Whole>{{MessageType::video, 1, 40, video}, {MessageType::audio, 1, 23, audio}}));
}

TEST(ChunkReader, AddsUpTimesOfAllFormats) {
    const auto bytes = join({hex("04 0003e8 000001 08 01000000 aa"),  // 1000
                             hex("44 00000a 000002 08 bbbb"),         // + 10, another length
                             hex("84 000014 cccc"),                   // + 20
                             hex("c4 dddd"),                          // + 20 again
                             hex("04 000005 000001 08 01000000 ee"),  // back to 5
                             hex("c4 ff")});                          // the absolute time is the step now
    EXPECT_EQ(read(bytes), (std::vector<Whole>{{MessageType::audio, 1, 1000, hex("aa")},
                                               {MessageType::audio, 1, 1010, hex("bbbb")},
                                               {MessageType::audio, 1, 1030, hex("cccc")},
                                               {MessageType::audio, 1, 1050, hex("dddd")},
                                               {MessageType::audio, 1, 5, hex("ee")},
                                               {MessageType::audio, 1, 10, hex("ff")}}));
}

TEST(ChunkReader, ReadsExtendedTimestampsOnEveryChunk) {
    const auto payload = counting(130, 1);
    const Bytes start(payload.begin(), payload.begin() + 128), rest(payload.begin() + 128, payload.end());
    const auto bytes = join({hex("04 ffffff 000082 09 01000000 01020304"),
                             start,
                             hex("c4 01020304"),
                             rest,
                             hex("84 ffffff 01000000"),
                             start,
                             hex("c4 01000000"),
                             rest,  // a step of 16777216
                             hex("84 000001"),
                             start,
                             {0xc4},
                             rest});  // not extended any more
    EXPECT_EQ(read(bytes), (std::vector<Whole>{{MessageType::video, 1, 0x01020304, payload},
                                               {MessageType::video, 1, 0x02020304, payload},
                                               {MessageType::video, 1, 0x02020305, payload}}));
}

TEST(ChunkReader, ReadsSendersThatLeaveTheExtendedTimestampOutOfLaterChunks) {
    const auto payload = counting(130, 1);
    const Bytes start(payload.begin(), payload.begin() + 128), rest(payload.begin() + 128, payload.end());
    const auto bytes = join(
        {hex("04 ffffff 000082 09 01000000 01020304"), start, {0xc4}, rest, hex("05 000000 000001 08 01000000 aa")});
    const std::vector<Whole> expected{{MessageType::video, 1, 0x01020304, payload},
                                      {MessageType::audio, 1, 0, hex("aa")}};
    EXPECT_EQ(read(bytes), expected);
    for (std::size_t portion = 1; portion < 20; ++portion) {
        ChunkReader reader{ChunkLimits{}};
        EXPECT_EQ(read(reader, bytes, portion), expected) << portion;
    }
}

TEST(ChunkReader, GivesTheSameMessagesHoweverTheBytesArrive) {
    const auto payload = counting(250, 3);
    const Bytes start(payload.begin(), payload.begin() + 128), rest(payload.begin() + 128, payload.end());
    const auto bytes = join({hex("02 000000 000004 01 00000000 00000080"),
                             hex("01 1000 ffffff 0000fa 09 01000000 00ffffff"), start, hex("c1 1000 00ffffff"), rest,
                             hex("04 000000 000000 08 01000000"), hex("44 000001 000001 08 aa"), hex("c4 bb")});
    ChunkReader whole{ChunkLimits{}};
    const auto expected = read(whole, bytes);
    ASSERT_EQ(expected.size(), 4u);
    EXPECT_EQ(expected[0].payload, payload);
    EXPECT_EQ(expected[1].payload, Bytes{}) << "a message without payload is a message";
    for (std::size_t portion = 1; portion < bytes.size(); ++portion) {
        ChunkReader reader{ChunkLimits{}};
        EXPECT_EQ(read(reader, bytes, portion), expected) << portion;
    }
}

TEST(ChunkReader, TakesAnyChunkSizeFromTheMomentItIsTold) {
    for (const std::uint32_t size : {1u, 2u, 127u, 4096u, 65536u, 0x7fffffffu}) {
        const auto payload = counting(5000, 9);
        auto bytes = join({hex("02 000000 000004 01 00000000"), big_endian(size, 4)});
        write_message(bytes, 6, MessageType::video, 1, payload, size);
        ChunkReader reader{ChunkLimits{}};
        EXPECT_EQ(read(reader, bytes), (std::vector<Whole>{{MessageType::video, 1, 0, payload}})) << size;
        EXPECT_EQ(reader.chunk_size(), size);
    }
    EXPECT_THROW(read(hex("02 000000 000004 01 00000000 00000000")), Malformed);
    EXPECT_THROW(read(hex("02 000000 000004 01 00000000 80000000")), Malformed);
}

TEST(ChunkReader, ForgetsAMessageThatIsAborted) {
    const auto bytes = join({hex("06 000000 0000c8 09 01000000"), counting(128),
                             hex("02 000000 000004 02 00000000 00000006"), hex("06 000007 000001 09 01000000 aa")});
    ChunkReader reader{ChunkLimits{}};
    EXPECT_EQ(read(reader, bytes, 50), (std::vector<Whole>{{MessageType::video, 1, 7, hex("aa")}}));
    EXPECT_EQ(reader.held(), 0u);
}

TEST(ChunkReader, KeepsOnlyWhatCameOfUnfinishedMessages) {
    ChunkReader reader{ChunkLimits{}};
    EXPECT_TRUE(read(reader, join({hex("06 000000 400000 09 01000000"), counting(100)})).empty());
    EXPECT_EQ(reader.held(), 100u) << "4 MB were announced, 100 bytes came";
}

TEST(ChunkReader, RefusesWhatBreaksTheRules) {
    for (const auto& [bytes, reason] :
         {std::pair{"86 000000", "begins with a header of format 2"},
          {"c6", "begins with a header of format 3"},
          {"06 000000 ffffff 09 01000000", "max_message"},
          // With chunks of one byte the second header falls into the first message.
          {"06 000000 000002 09 01000000 aa 06 000000 000001 09 01000000 aa", "inside another"},
          {"02 000000 000001 01 00000000 00", "bytes wanted"}}) {  // a chunk size of one byte
        ChunkReader reader{ChunkLimits{.message = 1u << 20, .chunk_streams = 4}};
        read(reader, hex("02 000000 000004 01 00000000 00000001"));
        try {
            read(reader, hex(bytes));
            ADD_FAILURE() << bytes << " was taken";
        } catch (const Malformed& e) {
            EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
        }
    }
}

TEST(ChunkReader, GivesTheMessagesBeforeAFault) {
    ChunkReader reader{ChunkLimits{}};
    Batch batch;
    const auto bytes = join({hex("04 000000 000001 08 01000000 aa"), {0xc9}});
    EXPECT_THROW(reader.read(bytes, batch), Malformed);
    ASSERT_EQ(batch.messages.size(), 1u);
    EXPECT_EQ(batch.gather(batch.messages[0]), hex("aa"));
}

TEST(ChunkReader, LimitsChunkStreams) {
    ChunkReader reader{ChunkLimits{.message = 100, .chunk_streams = 3}};
    Bytes bytes;
    for (const auto id : std::initializer_list<std::uint8_t>{3, 4, 5}) bytes = join({bytes, chunk0(id, 0, 8, 1, {1})});
    EXPECT_EQ(read(reader, bytes).size(), 3u);
    EXPECT_THROW(read(reader, chunk0(6, 0, 8, 1, {1})), Malformed);
}

TEST(ChunkReader, LimitsWhatUnfinishedMessagesHold) {
    ChunkReader reader{ChunkLimits{.message = 100, .chunk_streams = 64}};
    read(reader, hex("02 000000 000004 01 00000000 00000063"));
    for (const auto id : std::initializer_list<std::uint8_t>{3, 4})
        read(reader, join({hex(id == 3 ? "03" : "04"), hex("000000 000064 09 01000000"), counting(99)}));
    EXPECT_THROW(read(reader, join({hex("05 000000 000064 09 01000000"), counting(99)})), Malformed);
}

TEST(WriteMessage, IsReadBackAsWritten) {
    for (const std::size_t size : {0u, 1u, 128u, 129u, 1000u}) {
        Bytes bytes;
        write_message(bytes, 3, MessageType::command_amf0, 7, counting(size), 128);
        EXPECT_EQ(read(bytes), (std::vector<Whole>{{MessageType::command_amf0, 7, 0, counting(size)}})) << size;
    }
}

}  // namespace
}  // namespace tapedeck::rtmp
