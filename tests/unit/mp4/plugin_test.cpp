// The writer as the host sees it: the plugin's descriptor and its C table.
#include <gtest/gtest.h>

#include "box_walker.hpp"
#include "session.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::mp4::test {
namespace {

const td_extension& extension() {
    return *TD_ENTRY.extensions[0];
}
const td_writer& table() {
    return *static_cast<const td_writer*>(extension().table);
}

TEST(Plugin, DeclaresFlashphonersNamesAndDefaults) {
    ASSERT_EQ(TD_ENTRY.extension_count, 2u) << "the writer and the reader";
    EXPECT_STREQ(extension().id, "mp4");
    EXPECT_STREQ(table().extension, "mp4");
    struct Row {
        const char *alias, *fallback;
    };
    const std::array rows{Row{"mp4_container_moov_first", "true"},
                          Row{"mp4_container_moov_first_reserve_space", "false"},
                          Row{"mp4_container_moov_reserved_space_size", "2048"}};
    ASSERT_EQ(extension().key_count, rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_STREQ(extension().keys[i]->alias, rows[i].alias);
        EXPECT_STREQ(extension().keys[i]->fallback, rows[i].fallback);
        EXPECT_NE(extension().keys[i]->flags & TD_KEY_RECORDING, 0u);
    }
}

/// One instance of the table.
struct Instance {
    explicit Instance(testkit::FakeHost& host) {
        if (table().create(host.table(), host.context(), &self, &error) != TD_OK) ADD_FAILURE() << error.text;
    }
    ~Instance() { table().destroy(self); }

    void* self = nullptr;
    td_error error = empty_error();
};

TEST(Plugin, RecordsAndRecoversThroughItsTable) {
    Session facts;
    testkit::FakeHost host(extension());
    testkit::MemoryFile file;
    const Clip& clip = make_clip();
    const td_recording recording = facts.recording();
    const std::array tracks{&clip.tracks[0].track, &clip.tracks[1].track};
    {
        Instance writer(host);
        ASSERT_EQ(table().open(writer.self, &file, &recording, tracks.data(), tracks.size(), &writer.error), TD_OK);
        const Context context(host.table(), host.context());
        for (const Unit& unit : clip.units) {
            OwnedPacket packet(context, unit.track, unit.data, unit.pts, unit.key ? TD_PACKET_KEY : 0);
            packet.packet.dts = unit.dts;
            packet.packet.duration = unit.duration;
            ASSERT_EQ(table().write(writer.self, &packet.packet, &writer.error), TD_OK);
        }
        ASSERT_EQ(table().flush(writer.self, &writer.error), TD_OK);
    }
    Instance writer(host);
    std::array<char, 100> memo{};
    td_recovered found{sizeof found, memo.size(), memo.data(), 0, 0};
    ASSERT_EQ(table().recover(writer.self, &file, &recording, &found, &writer.error), TD_OK) << writer.error.text;
    EXPECT_EQ(std::string(memo.data(), found.memo_size), facts.memo);
    EXPECT_EQ(found.packets, clip.units.size());
    ASSERT_EQ(table().finish(writer.self, &writer.error), TD_OK) << writer.error.text;
    EXPECT_EQ(order_of(file.contents()), "ftyp free moov free mdat");
}

TEST(Plugin, TakesSettingsOfOneRecording) {
    Session session;
    const testkit::FakeSettings::Overrides own{{"moov_first", "false"}};
    const Clip& clip = make_clip();
    td_recording recording = session.recording();
    recording.options = testkit::FakeSettings::options(own);
    const std::array tracks{&clip.tracks[0].track, &clip.tracks[1].track};
    session.writer.open(File(&session.file), recording, tracks);
    session.write(clip);
    session.finish();
    EXPECT_EQ(order_of(session.file.contents()), "ftyp free free mdat moov");
}

TEST(Plugin, GivesEveryPayloadBackAfterAFlushAndWhenItIsDestroyed) {
    const long before = testkit::CountedBuffer::live;
    {
        Session session;
        const Clip& clip = make_clip();
        session.open(clip);
        session.write(clip, INT64_MIN, 400);
        EXPECT_EQ(testkit::CountedBuffer::live, before);
        session.write(clip.units.back());
        EXPECT_EQ(testkit::CountedBuffer::live, before + 1);
    }
    EXPECT_EQ(testkit::CountedBuffer::live, before);
}

TEST(Plugin, RefusesTracksItCannotWrite) {
    const Clip& clip = make_clip();
    Track opus(TD_AUDIO, TD_CODEC_OPUS, {1, 48000});
    Track bare(TD_VIDEO, TD_CODEC_H264, {1, 1000});
    Track broken(clip.tracks[0]);
    broken.config(std::vector<std::uint8_t>{1, 2, 3});
    Track timeless(clip.tracks[0]);
    timeless.track.time_base = {0, 1000};
    struct Row {
        const Track& track;
        td_status status;
    };
    for (const Row& row :
         {Row{opus, TD_UNSUPPORTED}, Row{bare, TD_MALFORMED}, Row{broken, TD_MALFORMED}, Row{timeless, TD_MALFORMED}}) {
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

}  // namespace
}  // namespace tapedeck::mp4::test
