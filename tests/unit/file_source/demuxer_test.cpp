#include "demuxer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tapedeck/media/aac.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::file_source {
namespace {

namespace fs = std::filesystem;

/// Clips of two seconds, made by ffmpeg.
class Demuxing : public testing::Test {
protected:
    Demuxing() {
        std::string name = fs::temp_directory_path() / "tapedeck-demux-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~Demuxing() override { fs::remove_all(folder_); }

    fs::path clip(const std::string& name, const std::string& codecs) {
        const std::string sources =
            " -f lavfi -i testsrc2=size=160x120:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 2 ";
        const auto path = folder_ / name;
        EXPECT_EQ(std::system(("ffmpeg -nostdin -v error -y" + sources + codecs + " " + path.string()).c_str()), 0);
        return path;
    }
    static std::vector<Unit> all(Demuxer& file) {
        std::vector<Unit> units;
        for (Unit unit; file.next(unit);) units.push_back(unit);
        return units;
    }

    fs::path folder_;
};

TEST_F(Demuxing, GivesH264AndAacOfMp4AndTsAlike) {
    const std::string codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
    for (const char* name : {"a.mp4", "a.ts", "a.flv", "a.mkv"}) {
        Demuxer file(clip(name, codecs));
        ASSERT_EQ(file.tracks().size(), 2u) << name;
        const td_track& video = file.tracks()[0];
        const td_track& audio = file.tracks()[1];
        EXPECT_EQ(video.codec, TD_CODEC_H264);
        EXPECT_EQ(video.width, 160u);
        EXPECT_EQ(h264::parse_avcc(file.tracks()[0].config()).sps.size(), 1u) << name;
        EXPECT_EQ(audio.codec, TD_CODEC_AAC);
        EXPECT_EQ(aac::parse_config(file.tracks()[1].config()).sample_rate, 48000u) << name;
        std::size_t pictures = 0, frames = 0;
        for (const Unit& unit : all(file)) {
            if (unit.track == 0) {
                ++pictures;
                EXPECT_EQ(unit.key, h264::is_key(unit.payload)) << name;
            } else {
                ++frames;
                EXPECT_FALSE(unit.payload[0] == 0xff && (unit.payload[1] & 0xf6) == 0xf0) << "ADTS in " << name;
            }
        }
        EXPECT_EQ(pictures, 50u) << name;
        EXPECT_NEAR(static_cast<double>(frames), 2 * 48000 / 1024., 2) << name;
    }
}

TEST_F(Demuxing, GivesVp8AndOpus) {
    Demuxer file(clip("a.webm", "-c:v libvpx -b:v 200k -c:a libopus"));
    ASSERT_EQ(file.tracks().size(), 2u);
    EXPECT_EQ(file.tracks()[0].track.codec, TD_CODEC_VP8);
    EXPECT_EQ(file.tracks()[1].track.codec, TD_CODEC_OPUS);
    const auto head = file.tracks()[1].config();
    EXPECT_EQ(std::string(head.begin(), head.begin() + 8), "OpusHead");
    const auto units = all(file);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(units, 0u, &Unit::track)), 50, 1);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(units, 1u, &Unit::track)), 100, 2);
}

TEST_F(Demuxing, CutsTelephoneSoundInto20Milliseconds) {
    struct Case {
        const char *name, *codecs;
        std::uint32_t codec;
        std::size_t bytes;
    };
    for (const auto& [name, codecs, codec, bytes] :
         {Case{"a.wav", "-map 1 -c:a pcm_alaw -ar 8000 -ac 1", TD_CODEC_PCMA, 160},
          Case{"u.wav", "-map 1 -c:a pcm_mulaw -ar 8000 -ac 1", TD_CODEC_PCMU, 160},
          Case{"g.wav", "-map 1 -c:a g722 -ar 16000 -ac 1", TD_CODEC_G722, 160}}) {
        Demuxer file(clip(name, codecs));
        ASSERT_EQ(file.tracks().size(), 1u) << name;
        const td_track& track = file.tracks()[0];
        EXPECT_EQ(track.codec, codec) << name;
        EXPECT_EQ(track.time_base.den, 8000) << name;
        const auto units = all(file);
        EXPECT_NEAR(static_cast<double>(units.size()), 100, 2) << name;
        for (std::size_t i = 0; i + 1 < units.size(); ++i) {
            EXPECT_EQ(units[i].payload.size(), bytes) << name << ' ' << i;
            EXPECT_EQ(units[i + 1].dts - units[i].dts, 160) << name << ' ' << i;
        }
    }
}

TEST_F(Demuxing, GivesSpeexAndMp3) {
    Demuxer mp3(clip("a.mp3", "-map 1 -c:a libmp3lame"));
    EXPECT_EQ(mp3.tracks()[0].track.codec, TD_CODEC_MP3);
    Demuxer speex(clip("a.ogg", "-map 1 -c:a libspeex -ar 16000 -ac 1"));
    EXPECT_EQ(speex.tracks()[0].track.codec, TD_CODEC_SPEEX);
    EXPECT_EQ(speex.tracks()[0].track.sample_rate, 16000u);
    EXPECT_GT(all(speex).size(), 50u);
}

TEST_F(Demuxing, NamesAFileThatCannotBePublished) {
    EXPECT_THROW(Demuxer(folder_ / "none.mp4"), Error);
    std::ofstream(folder_ / "text.mp4") << std::string(100'000, 'x');
    try {
        Demuxer file(folder_ / "text.mp4");
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("text.mp4"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace tapedeck::file_source
