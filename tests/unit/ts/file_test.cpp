// Whole files by ffmpeg's eyes, and the writer as the host sees it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "programs.hpp"
#include "session.hpp"
#include "tapedeck/media/h264.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::ts::test {
namespace {

using mp4::test::decode_complaints;
using mp4::test::lines_of;
using mp4::test::output_of;
using mp4::test::probe;

/// Of one picture: its NAL units without delimiter and parameter sets.
std::vector<Contents> slices(const Contents& byte_stream) {
    std::vector<Contents> some;
    for (Contents& nal : nals_of(byte_stream)) {
        const int type = nal.at(0) & 0x1f;
        if (type < h264::nal_sps || type > h264::nal_aud) some.push_back(std::move(nal));
    }
    return some;
}

class Recorded : public testing::Test {
protected:
    std::filesystem::path record(const Clip& clip, const std::string& name) {
        Session session;
        session.record(clip);
        auto path = folder_ / (name + ".ts");
        mp4::test::save(path, session.file.contents());
        return path;
    }

    mp4::test::TempFolder folder_;
};

TEST_F(Recorded, HoldsEveryPictureAndFrameOfTheSource) {
    for (const int b_frames : {0, 3}) {
        Recipe recipe;
        recipe.b_frames = b_frames;
        const Clip& clip = make_clip(recipe);
        Session session;
        session.record(clip);
        const Stream stream = session.stream();
        const auto pictures = stream.of(video_pid);
        const Clip video = clip.only(Clip::video);
        ASSERT_EQ(pictures.size(), video.units.size());
        for (std::size_t i = 0; i < pictures.size(); ++i) {
            std::vector<Contents> expected;
            h264::for_each_nal(video.units[i].data, 4,
                               [&](ByteSpan nal) { expected.emplace_back(nal.begin(), nal.end()); });
            EXPECT_EQ(slices(pictures[i].payload), expected) << i;
            EXPECT_EQ(nals_of(pictures[i].payload).at(0), (Contents{9, 0xf0}));
        }
        std::vector<Contents> frames;
        for (const Pes& pes : stream.of(audio_pid))
            for (auto& frame : adts_frames(pes.payload)) frames.push_back(std::move(frame));
        const Clip audio = clip.only(Clip::audio);
        ASSERT_EQ(frames.size(), audio.units.size());
        for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i], audio.units[i].data) << i;
    }
}

TEST_F(Recorded, DecodesWithoutAMessageInEveryForm) {
    Recipe b_frames;
    b_frames.b_frames = 3;
    Recipe slow;
    slow.more = "-r 5";
    slow.key_distance = 10;
    const Clip& clip = make_clip();
    for (const auto& [name, form] : {std::pair{"plain", clip},
                                     {"b", make_clip(b_frames)},
                                     {"slow", make_clip(slow)},
                                     {"video", clip.only(Clip::video)},
                                     {"audio", clip.only(Clip::audio)}}) {
        const auto path = record(form, name);
        EXPECT_EQ(decode_complaints(path), "") << name;
        EXPECT_EQ(output_of("ffprobe -v warning " + path.string()), "") << name;
        const auto streams =
            lines_of(output_of("ffprobe -v error -show_entries stream=codec_name -of csv=p=0 " + path.string()));
        EXPECT_EQ(std::ranges::count(streams, "h264") + std::ranges::count(streams, "aac"),
                  static_cast<std::ptrdiff_t>(streams.size()))
            << "the private sections are seen";
    }
}

TEST_F(Recorded, KeepsSoundAndPictureTogether) {
    for (const int b_frames : {0, 3}) {
        Recipe recipe;
        recipe.b_frames = b_frames;
        const Clip& clip = make_clip(recipe);
        const auto first = [&](std::uint32_t track) {
            std::int64_t least = INT64_MAX;
            for (const Unit& unit : clip.units)
                if (unit.track == track) least = std::min(least, unit.pts);
            return static_cast<double>(least) / 1000;
        };
        const auto path = record(clip, "sync");
        const double video = std::stod(probe(path, "v:0", "stream=start_time"));
        const double audio = std::stod(probe(path, "a:0", "stream=start_time"));
        EXPECT_NEAR(audio - video, first(Clip::audio) - first(Clip::video), 0.002);
        EXPECT_NEAR(std::stod(output_of("ffprobe -v error -show_entries format=duration -of csv=p=0 " + path.string())),
                    3.0, 0.1);
    }
}

/// Where a player that seeks by the clock begins to read: at the tables before the last random access point whose clock
/// is not after `time`, in ticks of 90 kHz.
std::size_t seek(const Stream& stream, std::int64_t time) {
    std::size_t tables = 0, found = 0;
    for (const PacketAt& packet : stream.packets) {
        if (packet.pid == 0) tables = packet.at;
        if (packet.random_access && packet.pcr && *packet.pcr / 300 <= time) found = tables;
    }
    return found * 188;
}

TEST_F(Recorded, ShowsTheRightPictureAfterASeekByTheClock) {
    Recipe recipe;
    recipe.seconds = "10";
    recipe.b_frames = 2;
    std::filesystem::path source;
    const Clip& clip = make_clip(recipe, &source);
    Session session;
    session.record(clip);
    const auto bytes = session.file.contents();
    const Stream stream = session.stream();
    const auto pictures = [](const std::filesystem::path& file) {
        std::vector<std::string> hashes;
        for (const auto& line : lines_of(output_of("ffmpeg -nostdin -v error -i " + file.string() +
                                                   " -map 0:v -vsync passthrough -f framemd5 -")))
            if (line[0] != '#') hashes.push_back(line.substr(line.rfind(' ') + 1));
        return hashes;
    };
    const auto all = pictures(source);
    ASSERT_EQ(all.size(), 300u);
    for (const double at : {0.3, 1.1, 3.02, 6.5, 8.9}) {
        const auto from = seek(stream, zero - 45000 + static_cast<std::int64_t>(at * 90000));
        const auto path = folder_ / "sought.ts";
        mp4::test::save(path, std::span(bytes).subspan(from));
        EXPECT_EQ(decode_complaints(path), "") << at;
        // There is a key picture each second; from it on every picture is there, the first ones of the group too.
        const auto key = static_cast<std::ptrdiff_t>(at) * 30;
        EXPECT_EQ(pictures(path), std::vector<std::string>(all.begin() + key, all.end())) << at;
    }
}

TEST_F(Recorded, IsReadByGStreamerTheSameWay) {
    Recipe recipe;
    recipe.b_frames = 2;
    const auto path = record(make_clip(recipe), "g");
    const std::string words =
        output_of("gst-launch-1.0 -m filesrc location=" + path.string() +
                  " ! tsdemux name=d d. ! queue ! h264parse ! fakesink d. ! queue ! aacparse ! fakesink");
    EXPECT_EQ(words.find("ERROR"), std::string::npos) << words;
    EXPECT_EQ(words.find("WARNING"), std::string::npos) << words;
    EXPECT_NE(words.find("eos"), std::string::npos) << words;
}

TEST_F(Recorded, GoesOnWithNewParameterSetsInTheSameFile) {
    Recipe large;
    large.size = "640x360";
    const Clip one = make_clip().only(Clip::video);
    Clip two = make_clip(large).only(Clip::video);
    Session session;
    session.open(one);
    session.write(one);
    for (Unit& unit : two.units) unit.dts += 3000, unit.pts += 3000;
    session.writer.track(two.tracks[0].track);
    session.write(two);
    session.writer.finish();
    mp4::test::save(folder_ / "change.ts", session.file.contents());
    EXPECT_EQ(decode_complaints(folder_ / "change.ts"), "");
    const auto widths =
        lines_of(output_of("ffprobe -v error -select_streams v:0 -show_entries frame=width -of csv=p=0 " +
                           (folder_ / "change.ts").string()));
    EXPECT_EQ(widths.size(), one.units.size() + two.units.size());
    EXPECT_EQ(widths.front().substr(0, 3), "320");
    EXPECT_EQ(widths.back().substr(0, 3), "640");
}

TEST_F(Recorded, TakesNoMoreBytesThanThatOfLibavformat) {
    Recipe recipe;
    recipe.seconds = "4";
    recipe.b_frames = 2;
    recipe.key_distance = 60;
    recipe.more = "-b:v 1600k -maxrate 1600k -bufsize 3200k";
    std::filesystem::path source;
    const auto path = record(make_clip(recipe, &source), "ours");
    output_of("ffmpeg -nostdin -v error -i " + source.string() + " -c copy " + (folder_ / "theirs.ts").string());
    EXPECT_LE(file_size(path), file_size(folder_ / "theirs.ts"));
}

TEST(Writer, GivesBackEveryPayloadAtOnceAndWritesOncePerFlush) {
    const long before = testkit::CountedBuffer::live;
    const Clip& clip = make_clip();
    Session session;
    session.open(clip);
    session.write(clip.units[0]);
    EXPECT_EQ(testkit::CountedBuffer::live, before);
    session.write(clip);
    EXPECT_LE(session.file.calls(testkit::Call::write), 7u);
    session.writer.flush();
    const auto writes = session.file.calls(testkit::Call::write);
    session.writer.flush();
    EXPECT_EQ(session.file.calls(testkit::Call::write), writes) << "nothing new, nothing written";
}

TEST(Writer, WritesByItselfWhenNobodyFlushes) {
    Session session;
    const Clip clip = pictures(std::vector<std::int64_t>(1), 1, 1 << 20);
    session.open(clip);
    for (int i = 0; i < 100; ++i) {
        Unit unit = clip.units[0];
        unit.dts = unit.pts = i * 40;
        session.write(unit);
    }
    EXPECT_GT(session.file.size(), 60u << 20);
}

TEST(Writer, LosesAMalformedPictureAndTakesTheNext) {
    const Clip clip = pictures({0, 40, 80, 120});
    Session session;
    session.open(clip);
    session.write(clip.units[0]);
    Unit bad = clip.units[1];
    bad.data[1] = 9;
    EXPECT_THROW(session.write(bad), Error);
    bad.data.clear();
    EXPECT_THROW(session.write(bad), Error);
    session.write(clip.units[2]);
    session.writer.finish();
    EXPECT_EQ(session.stream().of(video_pid).size(), 2u);
}

TEST(Writer, LosesAFrameOfSoundThatIsTooLongAndTakesTheNext) {
    Clip clip = sound(3);
    clip.units[1].data.resize(40000);
    Session session;
    session.open(clip);
    session.write(clip.units[0]);
    EXPECT_THROW(session.write(clip.units[1]), Error);
    session.write(clip.units[2]);
    session.writer.finish();
    EXPECT_EQ(session.stream().of(0x100).size(), 2u);
}

TEST(Writer, RefusesTracksItCannotWrite) {
    const Clip& clip = make_clip();
    Track opus(TD_AUDIO, TD_CODEC_OPUS, {1, 48000});
    Track bare(TD_VIDEO, TD_CODEC_H264, {1, 1000});
    Track silent(TD_AUDIO, TD_CODEC_AAC, {1, 44100});
    Track timeless(clip.tracks[0]);
    timeless.track.time_base = {0, 1000};
    struct Row {
        const Track& track;
        td_status status;
    };
    for (const Row& row :
         {Row{opus, TD_UNSUPPORTED}, Row{bare, TD_MALFORMED}, Row{silent, TD_MALFORMED}, Row{timeless, TD_MALFORMED}}) {
        Session session;
        const td_track* track = &row.track.track;
        try {
            session.writer.open(File(&session.file), session.recording(), {&track, 1});
            ADD_FAILURE();
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), row.status) << e.what();
        }
    }
}

TEST(Writer, AChangeThatCannotBeReadLeavesTheTrackAsItWas) {
    const Clip clip = sound(20);
    Session session;
    session.open(clip);
    for (std::size_t i = 0; i < 10; ++i) session.write(clip.units[i]);
    Track broken(clip.tracks[0]);
    broken.config(Contents{0x12, 0x14});
    EXPECT_THROW(session.writer.track(broken.track), Error);
    for (std::size_t i = 10; i < 20; ++i) session.write(clip.units[i]);
    session.writer.finish();
    std::size_t frames = 0;
    for (const Pes& pes : session.stream().of(0x100)) frames += adts_frames(pes.payload).size();
    EXPECT_EQ(frames, 20u);
}

TEST(Plugin, RecordsAndRecoversThroughItsTable) {
    ASSERT_EQ(TD_ENTRY.extension_count, 2u);
    const td_extension& extension = *TD_ENTRY.extensions[0];
    EXPECT_STREQ(extension.id, "ts");
    const auto& table = *static_cast<const td_writer*>(extension.table);
    EXPECT_STREQ(table.extension, "ts");
    Session facts;
    testkit::FakeHost host(extension);
    testkit::MemoryFile file;
    const Clip& clip = make_clip();
    const td_recording recording = facts.recording();
    const std::array tracks{&clip.tracks[0].track, &clip.tracks[1].track};
    td_error error = empty_error();
    void* self = nullptr;
    ASSERT_EQ(table.create(host.table(), host.context(), &self, &error), TD_OK);
    ASSERT_EQ(table.open(self, &file, &recording, tracks.data(), tracks.size(), &error), TD_OK);
    for (const Unit& unit : clip.units) {
        OwnedPacket packet({host.table(), host.context()}, unit.track, unit.data, unit.pts,
                           unit.key ? TD_PACKET_KEY : 0);
        packet.packet.dts = unit.dts;
        packet.packet.duration = unit.duration;
        ASSERT_EQ(table.write(self, &packet.packet, &error), TD_OK);
    }
    ASSERT_EQ(table.flush(self, &error), TD_OK);
    table.destroy(self);

    ASSERT_EQ(table.create(host.table(), host.context(), &self, &error), TD_OK);
    std::array<char, 100> memo{};
    td_recovered found{sizeof found, memo.size(), memo.data(), 0, 0};
    ASSERT_EQ(table.recover(self, &file, &recording, &found, &error), TD_OK) << error.text;
    EXPECT_EQ(std::string(memo.data(), found.memo_size), facts.memo);
    EXPECT_EQ(found.packets, clip.units.size());
    ASSERT_EQ(table.finish(self, &error), TD_OK) << error.text;
    table.destroy(self);
}

}  // namespace
}  // namespace tapedeck::ts::test
