// A stream whose parameter sets change while it is recorded.
#include <gtest/gtest.h>

#include "box_walker.hpp"
#include "programs.hpp"
#include "session.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::mp4::test {
namespace {

/// Three seconds of one size, then three of another.
struct Change {
    Change() {
        Recipe recipe;
        first = make_clip(recipe);
        recipe.size = "160x90";
        second = make_clip(recipe);
        for (Unit& unit : second.units) unit.dts += 3000, unit.pts += 3000;
    }
    void record(Session& session, bool by_packet) const {
        session.record(first);
        if (!by_packet) session.writer.track(second.tracks[0]);
        bool told = !by_packet;
        for (const Unit& unit : second.units) {
            OwnedPacket packet(session.context(), unit.track, unit.data, unit.pts, unit.key ? TD_PACKET_KEY : 0);
            packet.packet.dts = unit.dts;
            packet.packet.duration = unit.duration;
            if (!told && unit.track == Clip::video) {
                packet.packet.flags |= TD_PACKET_CONFIG_CHANGED;
                packet.packet.changed = &second.tracks[0].track;
                told = true;
            }
            session.writer.write(packet.packet);
        }
        session.writer.flush();
    }

    Clip first, second;
};

std::vector<int> nal_types(std::span<const std::uint8_t> access_unit) {
    std::vector<int> types;
    h264::for_each_nal(access_unit, 4, [&](ByteSpan nal) { types.push_back(h264::nal_type(nal)); });
    return types;
}

TEST(ParameterChange, GoesOnInTheSameFileAndDecodesWhole) {
    const Change change;
    for (const bool by_packet : {false, true}) {
        Session session;
        change.record(session, by_packet);
        session.finish();
        const auto file = session.file.contents();
        const auto moov = box(file, "moov").payload;
        EXPECT_EQ(box(moov, "trak/mdia/minf/stbl/stsd").u32(4), 2u);
        EXPECT_EQ(box(moov, "trak/tkhd").u32(4 + 8 * 10 + 4) >> 16, 320u) << "the size of the first picture";

        const auto samples = samples_of(moov, 0);
        ASSERT_EQ(samples.size(), 180u);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            EXPECT_EQ(samples[i].description, i < 90 ? 1u : 2u) << i;
            const auto types = nal_types(std::span(file).subspan(samples[i].at, samples[i].size));
            const bool has_sets = std::ranges::find(types, 7) != types.end();
            EXPECT_EQ(has_sets, i >= 90 && samples[i].key) << i;
        }
        TempFolder folder;
        save(folder / "c.mp4", file);
        EXPECT_EQ(decode_complaints(folder / "c.mp4"), "");
        EXPECT_EQ(probe(folder / "c.mp4", "v:0 -count_frames", "stream=nb_read_frames"), "180");
    }
}

TEST(ParameterChange, KeepsIndexOneInEveryFragmentAndNamesTheEntryInABoxBeforeThem) {
    Session session;
    Change().record(session, false);
    const auto file = session.file.contents();
    EXPECT_EQ(all(file, "uuid").size(), 1u);
    for (const BoxAt& tfhd : all(file, "moof/traf/tfhd")) {
        EXPECT_EQ(tfhd.u32(0) & 0x020002, 0x020002u);
        EXPECT_EQ(tfhd.u32(8), 1u);
    }
    const auto at = box(file, "uuid").at;
    int before = 0;
    for (const BoxAt& moof : all(file, "moof")) before += moof.at < at;
    EXPECT_EQ(before, 6);
}

TEST(ParameterChange, IsRecoveredAsItWouldHaveBeenFinished) {
    const Change change;
    Session whole;
    change.record(whole, false);
    whole.finish();
    Session killed;
    change.record(killed, false);
    EXPECT_EQ(recover_and_finish(killed).packets, change.first.units.size() + change.second.units.size());
    EXPECT_TRUE(killed.file.contents() == whole.file.contents());
}

TEST(ParameterChange, WritesAnEntryThatNoPacketUsesNowhere) {
    const Change change;
    Session session;
    session.record(change.first);
    session.writer.track(change.second.tracks[0]);
    session.finish();
    EXPECT_EQ(box(session.file.contents(), "moov/trak/mdia/minf/stbl/stsd").u32(4), 1u);
}

TEST(ParameterChange, TakesTheOldParametersBackAsTheEntryThatIsThereAlready) {
    const Change change;
    Session session;
    change.record(session, false);
    session.writer.track(change.first.tracks[0]);
    Clip third = change.first.only(Clip::video);
    for (Unit& unit : third.units) unit.dts += 6000, unit.pts += 6000;
    session.write(third);
    Session killed;
    killed.file.put(0, session.file.contents());
    session.finish();
    const auto moov = box(session.file.contents(), "moov").payload;
    EXPECT_EQ(box(moov, "trak/mdia/minf/stbl/stsd").u32(4), 2u);
    EXPECT_EQ(samples_of(moov, 0).back().description, 1u);
    recover_and_finish(killed);
    EXPECT_TRUE(killed.file.contents() == session.file.contents());
}

TEST(ParameterChange, RefusesWhatCannotGoOnInTheFile) {
    const Clip& clip = make_clip();
    Session session;
    session.record(clip);
    Track louder(clip.tracks[1]);
    louder.config(std::vector<std::uint8_t>{0x11, 0x90});
    Track other_codec(clip.tracks[0]);
    other_codec.track.codec = TD_CODEC_AAC;
    other_codec.config(clip.tracks[1].config());
    for (const Track* track : {&louder, &other_codec}) {
        try {
            session.writer.track(*track);
            ADD_FAILURE();
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
        }
    }
    session.writer.track(clip.tracks[0]);  // nothing new in it
    session.finish();
    EXPECT_EQ(box(session.file.contents(), "moov/trak/mdia/minf/stbl/stsd").u32(4), 1u);
}

}  // namespace
}  // namespace tapedeck::mp4::test
