// Pictures as a byte stream and sound in ADTS.
#include <gtest/gtest.h>

#include <array>

#include "access_unit.hpp"
#include "adts.hpp"
#include "programs.hpp"
#include "session.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::ts::test {
namespace {

Contents joined(AccessUnits& units, const Contents& picture, bool key) {
    std::vector<ByteSpan> parts;
    units.append(parts, picture, key);
    Contents all;
    for (const ByteSpan part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

/// The types of the NAL units in order; of H.264.
std::vector<int> types(const Contents& byte_stream) {
    std::vector<int> all;
    for (const Contents& nal : nals_of(byte_stream)) all.push_back(nal.at(0) & 0x1f);
    return all;
}

Contents lengths(const std::vector<Contents>& nals) {
    Contents all;
    for (const Contents& nal : nals) h264::append_nal(all, nal);
    return all;
}

TEST(AccessUnits, KeyPicturesBringTheParameterSetsBehindADelimiter) {
    AccessUnits units(make_clip().tracks[0].track);
    EXPECT_EQ(types(joined(units, lengths({{0x65, 1}}), true)), (std::vector<int>{9, 7, 8, 5}));
    EXPECT_EQ(types(joined(units, lengths({{0x41, 1}}), false)), (std::vector<int>{9, 1}));
    EXPECT_EQ(types(joined(units, lengths({{9, 0x10}, {0x06, 5}, {0x41, 1}}), false)), (std::vector<int>{9, 6, 1}));
    EXPECT_EQ(types(joined(units, lengths({{0x67, 1}, {0x68, 1}, {0x65, 1}}), true)), (std::vector<int>{9, 7, 8, 5}))
        << "its own sets, not ours as well";
}

TEST(AccessUnits, NewParameterSetsPrecedeTheNextPictureWhicheverItIs) {
    Track track(make_clip().tracks[0]);
    AccessUnits units(track);
    joined(units, lengths({{0x65, 1}}), true);
    Recipe large;
    large.size = "640x360";
    track.config(make_clip(large).tracks[0].config());
    units.change(track);
    const auto nals = nals_of(joined(units, lengths({{0x41, 1}}), false));
    ASSERT_EQ(nals.size(), 4u);
    EXPECT_EQ(h264::parse_sps(nals[1]).width, 640u);
    EXPECT_EQ(types(joined(units, lengths({{0x41, 1}}), false)), (std::vector<int>{9, 1}));
}

TEST(AccessUnits, RefuseWhatIsNoPicture) {
    AccessUnits units(make_clip().tracks[0].track);
    for (const Contents& bad :
         {Contents{}, Contents{0, 0, 0, 9, 1}, Contents{0, 0}, Contents{0, 0, 0, 0}, Contents{0, 0, 0, 2, 9, 0x10}}) {
        EXPECT_THROW(joined(units, bad, true), Malformed);
    }
    Track bare(TD_VIDEO, TD_CODEC_H264, {1, 1000});
    EXPECT_THROW(AccessUnits{bare.track}, Malformed);
    bare.config(Contents{1, 66, 0, 10, 0xff, 0xe0, 0});
    EXPECT_THROW(AccessUnits{bare.track}, Malformed) << "no parameter set in it";
}

TEST(AccessUnits, OfH265ComeWithItsThreeKindsOfParameterSets) {
    Track track(TD_VIDEO, TD_CODEC_H265, {1, 1000});
    Contents hvcc(23, 0);
    hvcc[0] = 1;
    hvcc[21] = 3;
    hvcc[22] = 4;
    for (const std::uint8_t type : std::array<std::uint8_t, 4>{32, 33, 34, 39}) {
        const Contents array{type, 0, 1, 0, 3, static_cast<std::uint8_t>(type << 1), 1, type};
        hvcc.insert(hvcc.end(), array.begin(), array.end());
    }
    track.config(hvcc);
    AccessUnits units(track);
    std::vector<int> found;
    for (const Contents& nal : nals_of(joined(units, lengths({{35 << 1, 1, 0x50}, {19 << 1, 1, 7}}), true)))
        found.push_back(nal.at(0) >> 1);
    EXPECT_EQ(found, (std::vector<int>{35, 32, 33, 34, 19}));
    EXPECT_EQ(nals_of(joined(units, lengths({{1 << 1, 1, 7}}), false)).size(), 2u);
}

TEST(Adts, SaysWhatTheConfigSays) {
    for (const std::uint32_t rate : aac::sample_rates) {
        for (const std::uint32_t channels : {1u, 2u, 3u, 4u, 5u, 6u, 8u}) {
            Contents frame;
            AdtsFramer(aac::build_config(2, rate, channels)).append(frame, Contents(300, 7));
            ASSERT_EQ(frame.size(), 307u);
            EXPECT_EQ(aac::sample_rates.at(frame[2] >> 2 & 15), rate);
            EXPECT_EQ(frame[2] >> 6, 1) << "LC";
            EXPECT_EQ((frame[2] & 1) << 2 | frame[3] >> 6, channels == 8 ? 7 : static_cast<int>(channels));
            EXPECT_EQ(adts_frame_size(frame), 307u);
            EXPECT_EQ(adts_frames(frame).at(0), Contents(300, 7));
        }
    }
}

TEST(Adts, LeavesSbrToTheFrames) {
    // HE-AAC, signalled hierarchically: 24 kHz core, 48 kHz after SBR.
    Contents frame;
    AdtsFramer(Contents{0x2b, 0x11, 0x88, 0x00}).append(frame, Contents(10, 1));
    EXPECT_EQ(frame[2] >> 6, 1);
    EXPECT_EQ(aac::sample_rates.at(frame[2] >> 2 & 15), 24000u);
}

TEST(Adts, RefusesWhatItCannotSay) {
    struct Row {
        Contents config;
        const char* word;
    };
    for (const auto& [config, word] :
         {Row{aac::build_config(2, 44000, 2), "44000"}, Row{{0x12, 0x14}, "960"},
          Row{{0xf8, 0xf2, 0x10, 0x00}, "type 39"}, Row{{0x12, 0x58}, "channel configuration 11"}}) {
        try {
            AdtsFramer framer(config);
            ADD_FAILURE() << word;
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
            EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
        }
    }
    EXPECT_THROW(AdtsFramer(Contents{}), Malformed);
    EXPECT_THROW(AdtsFramer(Contents{0x12}), Malformed);
    Contents into;
    const AdtsFramer framer(Contents{0x12, 0x10});
    framer.append(into, Contents(8184, 0));
    EXPECT_THROW(framer.append(into, Contents(8185, 0)), Malformed);
    EXPECT_EQ(into.size(), 8191u);
}

TEST(Adts, BringsALayoutWithoutANumberAsAProgramConfigElement) {
    mp4::test::TempFolder folder;
    for (const char* layout : {"2.1", "quad", "3.1", "hexagonal"}) {
        Recipe recipe;
        recipe.more = "-af aformat=channel_layouts=" + std::string(layout);
        std::filesystem::path source;
        const Clip clip = make_clip(recipe, &source).only(Clip::audio);
        ASSERT_EQ(aac::parse_config(clip.tracks[0].config()).channels, 0u) << layout << " has a number after all";
        Session session;
        session.record(clip);
        const auto path = folder / "p.ts";
        mp4::test::save(path, session.file.contents());
        EXPECT_EQ(mp4::test::decode_complaints(path), "") << layout;
        for (const char* fact : {"stream=channel_layout", "stream=channels"})
            EXPECT_EQ(mp4::test::probe(path, "a:0", fact), mp4::test::probe(source, "a:0", fact)) << layout;
    }
}

}  // namespace
}  // namespace tapedeck::ts::test
