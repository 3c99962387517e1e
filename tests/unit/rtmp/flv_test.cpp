#include "rtmp/flv.hpp"

#include <gtest/gtest.h>

#include "bytes.hpp"

namespace tapedeck::rtmp::flv {
namespace {

struct VideoRow {
    std::string_view body;
    std::uint32_t codec;
    Content content;
    bool key;
    std::int32_t composition_ms;
    std::string_view payload;
};

TEST(Flv, TakesVideoBodiesApart) {
    for (const auto& row : {
             VideoRow{"17 00 000000 0164", TD_CODEC_H264, Content::config, true, 0, "0164"},
             {"17 01 000028 aabb", TD_CODEC_H264, Content::frame, true, 40, "aabb"},
             {"27 01 ffffd8 aabb", TD_CODEC_H264, Content::frame, false, -40, "aabb"},
             {"17 02 000000", TD_CODEC_H264, Content::nothing, true, 0, ""},
             {"1c 00 000000 01", TD_CODEC_H265, Content::config, true, 0, "01"},
             {"12 aabb", sorenson, Content::frame, true, 0, "aabb"},
             {"24 00 aabb", vp6, Content::frame, false, 0, "aabb"},
             {"13 aa", screen, Content::frame, true, 0, "aa"},
             {"57 00", 0, Content::nothing, false, 0, ""},  // a seek mark
             {"1f aa", 0, Content::unknown, true, 0, "aa"},
             {"90 68766331 01", TD_CODEC_H265, Content::config, true, 0, "01"},
             {"91 68766331 000021 aa", TD_CODEC_H265, Content::frame, true, 33, "aa"},
             {"a1 68766331 ffffff aa", TD_CODEC_H265, Content::frame, false, -1, "aa"},
             {"a3 68766331 aa", TD_CODEC_H265, Content::frame, false, 0, "aa"},
             {"91 61763031 aabb", TD_CODEC_AV1, Content::frame, true, 0, "aabb"},
             {"92 76703039", TD_CODEC_VP9, Content::nothing, true, 0, ""},
             {"94 68766331 0200", TD_CODEC_H265, Content::nothing, true, 0, "0200"},
             {"96 00 68766331", 0x00687663, Content::unknown, true, 0, "31"},  // several tracks in one message
             {"", 0, Content::nothing, false, 0, ""},
         }) {
        const auto body = hex(row.body);
        const auto tag = parse_video(body);
        EXPECT_EQ(tag.kind, std::uint32_t{TD_VIDEO});
        EXPECT_EQ(tag.content, row.content) << row.body;
        if (row.content != Content::nothing) {
            EXPECT_EQ(tag.codec, row.codec) << row.body;
        }
        EXPECT_EQ(tag.key, row.key) << row.body;
        EXPECT_EQ(tag.composition_ms, row.composition_ms) << row.body;
        if (row.content == Content::frame || row.content == Content::config) {
            EXPECT_EQ(Bytes(tag.payload.begin(), tag.payload.end()), hex(row.payload)) << row.body;
        }
    }
}

struct AudioRow {
    std::string_view body;
    std::uint32_t codec;
    Content content;
    std::uint32_t rate, channels;
};

TEST(Flv, TakesAudioBodiesApart) {
    for (const auto& row : {
             AudioRow{"af 00 1210", TD_CODEC_AAC, Content::config, 0, 0},
             {"af 01 aabb", TD_CODEC_AAC, Content::frame, 0, 0},
             {"2f aa", TD_CODEC_MP3, Content::frame, 44100, 2},
             {"2a aa", TD_CODEC_MP3, Content::frame, 22050, 1},
             {"e2 aa", TD_CODEC_MP3, Content::frame, 8000, 1},
             {"7f aa", TD_CODEC_PCMA, Content::frame, 8000, 1},
             {"82 aa", TD_CODEC_PCMU, Content::frame, 8000, 1},
             {"b6 aa", TD_CODEC_SPEEX, Content::frame, 16000, 1},
             {"62 aa", nellymoser, Content::frame, 5512, 1},
             {"1f aa", adpcm, Content::frame, 44100, 2},
             {"3f aa", pcm, Content::frame, 44100, 2},
             {"cf aa", 0, Content::unknown, 44100, 2},
             {"90 4f707573 4f", TD_CODEC_OPUS, Content::config, 0, 0},
             {"91 6d703461 aa", TD_CODEC_AAC, Content::frame, 0, 0},
             {"92 6d703461", TD_CODEC_AAC, Content::nothing, 0, 0},
             {"95 00 6d703461", 0x006d7034, Content::unknown, 0, 0},
         }) {
        const auto body = hex(row.body);
        const auto tag = parse_audio(body);
        EXPECT_EQ(tag.kind, std::uint32_t{TD_AUDIO});
        EXPECT_EQ(tag.codec, row.codec) << row.body;
        EXPECT_EQ(tag.content, row.content) << row.body;
        EXPECT_TRUE(tag.key);
        EXPECT_EQ(tag.sample_rate, row.rate) << row.body;
        EXPECT_EQ(tag.channels, row.channels) << row.body;
    }
    EXPECT_EQ(parse_audio({}).content, Content::nothing);
}

TEST(Flv, RefusesBodiesShorterThanTheirHeader) {
    for (const auto body : {"17", "17 01", "17 01 0000", "14", "91 6876", "91 68766331 00"})
        EXPECT_THROW(parse_video(hex(body)), Malformed) << body;
    for (const auto body : {"af", "91 4f70"}) EXPECT_THROW(parse_audio(hex(body)), Malformed) << body;
}

TEST(Flv, NamesCodecsAsPeopleDo) {
    EXPECT_EQ(codec_name(TD_CODEC_H264), "H264");
    EXPECT_EQ(codec_name(TD_CODEC_AAC), "AAC");
    EXPECT_EQ(codec_name(TD_CODEC('a', 'c', '-', '3')), "ac-3");
    EXPECT_EQ(codec_name(0x00010203), "????");
}

TEST(Flv, TakesAggregatesApart) {
    const auto aggregate = hex("09 000002 000064 00 000000 1701 0000000d 08 000001 010203 ff 000000 af 0000000c");
    ByteReader reader(aggregate);
    const auto video = next_part(reader);
    ASSERT_TRUE(video);
    EXPECT_EQ(video->type, 9);
    EXPECT_EQ(video->timestamp, 100u);
    EXPECT_EQ(Bytes(video->body.begin(), video->body.end()), hex("1701"));
    const auto audio = next_part(reader);
    ASSERT_TRUE(audio);
    EXPECT_EQ(audio->timestamp, 0xff010203u);
    EXPECT_FALSE(next_part(reader));

    ByteReader without_last(ByteSpan(aggregate).first(aggregate.size() - 4));
    EXPECT_TRUE(next_part(without_last));
    EXPECT_TRUE(next_part(without_last)) << "the last back pointer may be missing";
    ByteReader cut(ByteSpan(aggregate).first(12));
    EXPECT_THROW(next_part(cut), Malformed);
}

}  // namespace
}  // namespace tapedeck::rtmp::flv
