// The bytes of finished files, by a box walker of the test's own.
#include <gtest/gtest.h>

#include "box_walker.hpp"
#include "programs.hpp"
#include "session.hpp"

namespace tapedeck::mp4::test {
namespace {

using Contents = std::vector<std::uint8_t>;

Contents finished(Session& session, const Clip& clip) {
    session.record(clip);
    session.finish();
    return session.file.contents();
}

Contents payload_at(const Contents& file, const SampleAt& sample) {
    const auto from = file.begin() + static_cast<std::ptrdiff_t>(sample.at);
    return {from, from + sample.size};
}

TEST(FileLayout, BeginsWithTheIndexAndWrapsAllFragmentsIntoOneMdat) {
    Session session;
    const Contents file = finished(session, make_clip());
    EXPECT_EQ(order_of(file), "ftyp free moov free mdat");
    const BoxAt mdat = box(file, "mdat");
    EXPECT_EQ((mdat.at + 16) % 4096, 0u);
    EXPECT_EQ(mdat.at + mdat.size, file.size());
}

TEST(FileLayout, KeepsARunningFileReadableFromItsFirstFlushOn) {
    Session session;
    const Clip& clip = make_clip();
    session.open(clip);
    EXPECT_EQ(session.file.size(), 0u);
    session.write(clip, INT64_MIN, 1000);
    EXPECT_EQ(order_of(session.file.contents()), "ftyp moov free free moof mdat moof mdat");
    EXPECT_EQ(session.file.calls(testkit::Call::write), 3u) << "the head, then one write for each fragment";
    EXPECT_EQ(session.file.calls(testkit::Call::sync), 0u);
}

TEST(FileLayout, NamesEverySampleOfTheSourceByItsTables) {
    Recipe recipe;
    recipe.b_frames = 2;
    const Clip& clip = make_clip(recipe);
    Session session;
    const Contents file = finished(session, clip);
    const BoxAt moov = box(file, "moov");
    for (const std::uint32_t track : {Clip::video, Clip::audio}) {
        const Clip part = clip.only(track);
        const auto samples = samples_of(moov.payload, track);
        ASSERT_EQ(samples.size(), part.units.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Unit& unit = part.units[i];
            EXPECT_EQ(payload_at(file, samples[i]), unit.data);
            EXPECT_EQ(samples[i].key, unit.key);
            if (track == Clip::audio) {
                EXPECT_EQ(samples[i].duration, 1024);
            } else {
                EXPECT_EQ(samples[i].dts, unit.dts - part.units[0].dts);
                EXPECT_EQ(samples[i].composition, unit.pts - unit.dts);
            }
        }
    }
}

TEST(FileLayout, SaysTheCreationTimeInSecondsSince1904InEveryHeader) {
    Session session;
    const Contents file = finished(session, make_clip());
    for (const char* path : {"moov/mvhd", "moov/trak/tkhd", "moov/trak/mdia/mdhd"})
        for (const BoxAt& header : all(file, path)) {
            EXPECT_EQ(header.u8(0), 1) << path;
            EXPECT_EQ(header.u64(4), 1700000000u + 2082844800u) << path;
            EXPECT_EQ(header.u64(12), 1700000000u + 2082844800u) << path;
        }
    EXPECT_EQ(box(file, "moov/mvhd").u32(20), 90000u);
}

TEST(FileLayout, EnablesOnlyTheFirstTrackOfEachKind) {
    Clip clip = make_clip();
    Track second(clip.tracks[1]);
    second.track.index = 7;
    clip.tracks.push_back(second);
    const std::size_t count = clip.units.size();
    for (std::size_t i = 0; i < count; ++i)
        if (clip.units[i].track == Clip::audio) {
            clip.units.push_back(clip.units[i]);
            clip.units.back().track = 7;
        }
    Session session;
    const Contents file = finished(session, clip);
    std::vector<std::uint32_t> flags;
    for (const BoxAt& tkhd : all(file, "moov/trak/tkhd")) flags.push_back(tkhd.u32(0) & 0xffffff);
    EXPECT_EQ(flags, (std::vector<std::uint32_t>{3, 3, 2}));
}

TEST(FileLayout, GivesEveryDescriptorOfEsdsItsExactLength) {
    Session session;
    const Clip& clip = make_clip();
    const Contents file = finished(session, clip);
    const BoxAt stsd = box(file, "moov/trak/mdia/minf/stbl/stsd", 1);
    const Contents entries(stsd.payload.begin() + 8, stsd.payload.end());
    const BoxAt entry = box(entries, "mp4a");
    EXPECT_EQ(entry.u16(16), 1) << "ffmpeg's sine is mono";
    EXPECT_EQ(entry.u32(24), 44100u << 16);
    const Contents inner(entry.payload.begin() + 28, entry.payload.end());
    const BoxAt esds = box(inner, "esds");
    const std::size_t config = clip.tracks[1].config().size();
    // ES_Descriptor, DecoderConfigDescriptor, DecoderSpecificInfo, SLConfigDescriptor: tag and length each.
    EXPECT_EQ(esds.u8(4), 3);
    EXPECT_EQ(esds.u8(5), 3 + 2 + 13 + 2 + config + 3);
    EXPECT_EQ(esds.u8(6 + 3), 4);
    EXPECT_EQ(esds.u8(6 + 4), 13 + 2 + config);
    EXPECT_EQ(esds.u8(6 + 5), 0x40);
    EXPECT_EQ(esds.u8(6 + 5 + 13), 5);
    EXPECT_EQ(esds.u8(6 + 5 + 14), config);
    EXPECT_EQ(esds.u8(6 + 5 + 15 + config), 6);
    EXPECT_EQ(esds.u8(6 + 5 + 16 + config), 1);
    EXPECT_EQ(esds.payload.size(), 6 + 5 + 18 + config);
}

TEST(FileLayout, BeginsBFrameVideoByAnEditAtItsFirstCompositionOffset) {
    Recipe recipe;
    recipe.b_frames = 2;
    Session session;
    session.record(make_clip(recipe));
    const BoxAt init = box(session.file.contents(), "moov/trak/edts/elst");
    EXPECT_EQ(init.u64(8), 0u) << "its length is not known yet";
    EXPECT_EQ(init.u64(16), 67u);
    session.finish();
    const BoxAt elst = box(session.file.contents(), "moov/trak/edts/elst");
    EXPECT_EQ(elst.u32(4), 1u);
    EXPECT_EQ(elst.u64(16), 67u) << "two frames of 33.3 ms";
    EXPECT_NEAR(static_cast<double>(elst.u64(8)), 3.0 * 90000, 90);
}

TEST(FileLayout, HidesSoundBeforeTimeZeroByAnEdit) {
    Clip clip = make_clip().only(Clip::audio);
    clip.tracks[0].track.time_base = {1, 44100};
    std::int64_t time = -1024;
    for (Unit& unit : clip.units) {
        unit.pts = unit.dts = time;
        unit.duration = 1024;
        time += 1024;
    }
    Session session;
    session.flush_ms = 22050;
    const Contents file = finished(session, clip);
    const BoxAt elst = box(file, "moov/trak/edts/elst");
    EXPECT_EQ(elst.u64(16), 1024u);
    EXPECT_EQ(box(file, "moov/trak/mdia/mdhd").u64(24), clip.units.size() * 1024);
    EXPECT_EQ(elst.u64(8), ((clip.units.size() - 1) * 1024 * 90000 + 44099) / 44100);
    TempFolder folder;
    save(folder / "a.mp4", file);
    EXPECT_EQ(decode_complaints(folder / "a.mp4"), "");
    EXPECT_EQ(probe(folder / "a.mp4", "a:0", "stream=start_time"), "0.000000");
}

TEST(FileLayout, BeginsLateSoundByAPauseAndShowsALatePictureFromTimeZeroOn) {
    Clip late_sound = make_clip();
    std::erase_if(late_sound.units, [](const Unit& u) { return u.track == Clip::audio && u.pts < 200; });
    Session session;
    Contents file = finished(session, late_sound);
    const BoxAt elst = box(file, "moov/trak/edts/elst");
    EXPECT_EQ(elst.u32(4), 2u);
    EXPECT_EQ(elst.u64(16), ~std::uint64_t{0}) << "a pause";
    EXPECT_NEAR(static_cast<double>(elst.u64(8)) / 90000, 0.210, 0.012);
    EXPECT_EQ(elst.u64(8 + 20 + 8), 0u);

    Clip late_picture = make_clip();
    std::erase_if(late_picture.units, [](const Unit& u) { return u.track == Clip::video && u.pts < 1000; });
    Session second;
    file = finished(second, late_picture);
    const auto samples = samples_of(box(file, "moov").payload, 0);
    EXPECT_EQ(samples[0].dts, 0);
    EXPECT_EQ(samples[1].dts, 1033);
    TempFolder folder;
    save(folder / "v.mp4", file);
    EXPECT_EQ(probe(folder / "v.mp4", "v:0", "stream=start_time"), "0.000000");
}

TEST(FileLayout, FillsALongWaitForTheSoundWithSilence) {
    for (const int channels : {1, 2}) {
        Recipe recipe;
        recipe.more = "-ac " + std::to_string(channels);
        Clip clip = make_clip(recipe);
        std::erase_if(clip.units, [](const Unit& u) { return u.track == Clip::audio && u.pts < 2000; });
        Session session;
        const Contents file = finished(session, clip);
        const auto samples = samples_of(box(file, "moov").payload, 1);
        EXPECT_EQ(samples.size(), clip.only(Clip::audio).units.size() + 86) << "as many frames as fit into 2.0 s";
        for (const auto& sample : samples) EXPECT_EQ(sample.duration, 1024);
        TempFolder folder;
        save(folder / "s.mp4", file);
        EXPECT_EQ(decode_complaints(folder / "s.mp4"), "");
        EXPECT_LT(std::stod(probe(folder / "s.mp4", "a:0", "stream=start_time")), 0.024);
        const std::string volume = output_of("ffmpeg -nostdin -v info -i " + (folder / "s.mp4").string() +
                                             " -map 0:a -t 1.9 -af volumedetect -f null -");
        EXPECT_NE(volume.find("max_volume: -91.0 dB"), std::string::npos) << volume;
    }
}

TEST(FileLayout, TakesOneKindOfTrackAlone) {
    for (const std::uint32_t track : {Clip::video, Clip::audio}) {
        const Clip clip = make_clip().only(track);
        Session session;
        const Contents file = finished(session, clip);
        ASSERT_EQ(all(file, "moov/trak").size(), 1u);
        EXPECT_EQ(samples_of(box(file, "moov").payload, 0).size(), clip.units.size());
        TempFolder folder;
        save(folder / "one.mp4", file);
        EXPECT_EQ(decode_complaints(folder / "one.mp4"), "");
    }
}

TEST(FileLayout, LeavesATrackWithoutSamplesOut) {
    Clip clip = make_clip();
    std::erase_if(clip.units, [](const Unit& u) { return u.track == Clip::audio; });
    Session session;
    EXPECT_EQ(all(finished(session, clip), "moov/trak").size(), 1u);
}

TEST(FileLayout, WritesAtMostOneHundredthMoreThanTheMedia) {
    Recipe recipe;
    recipe.seconds = "4";
    recipe.more = "-preset ultrafast -b:v 1500k -minrate 1500k -maxrate 1500k -bufsize 1500k -x264-params nal-hrd=cbr";
    recipe.b_frames = 2;
    recipe.key_distance = 60;
    recipe.more = "-b:v 1600k -maxrate 1600k -bufsize 3200k";
    const Clip clip = make_clip(recipe).repeated(15);
    std::uint64_t media = 0;
    for (const Unit& unit : clip.units) media += unit.data.size();
    Session session;
    session.record(clip);
    session.finish();
    const auto ratio = static_cast<double>(session.file.bytes_written()) / static_cast<double>(media);
    EXPECT_LT(ratio, 1.01) << media << " bytes of media";
    EXPECT_LT(media, 60 * 1'600'000u / 8) << "a minute at more than 1.6 Mbit/s, which is too easy";
}

}  // namespace
}  // namespace tapedeck::mp4::test
