// Each example is under 30 lines, loads with the host's registry and does what its first line says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "base/text.hpp"
#include "plugin/buffer.hpp"
#include "plugin/hook.hpp"
#include "plugin/naming.hpp"
#include "plugin/protocol.hpp"
#include "plugin/reader.hpp"
#include "plugin/registry.hpp"
#include "plugin/storage.hpp"
#include "plugin/transform.hpp"
#include "plugin/writer.hpp"
#include "testkit/memory_file.hpp"
#include "testkit/recording_sink.hpp"

namespace fs = std::filesystem;

namespace tapedeck::host {
namespace {

using testkit::MemoryFile;
using testkit::RecordingSink;

fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "tapedeck-examples-XXXXXX").string();
    return ::mkdtemp(name.data());
}

/// The stream that the protocol publishes.
RecordingSink& published() {
    static RecordingSink sink;
    return sink;
}

const td_streams streams{sizeof(td_streams),
                         0,
                         [](const td_context*, std::int32_t, const td_stream_info*,
                            void (*done)(void*, const td_error*), void* self) { done(self, nullptr); },
                         [](const td_context*, const td_stream_info*, const td_publisher* publisher, void* self) {
                             static std::future<void> answer;  // comes from another thread, as from a host
                             answer = std::async(std::launch::async, [publisher, self] {
                                 publisher->opened(self, &published(), nullptr);
                                 publisher->released(self, nullptr);
                             });
                         },
                         nullptr,
                         nullptr};

class Examples : public testing::Test {
protected:
    static void SetUpTestSuite() {
        folder = make_folder();
        // They outlive the plugins, as those of a server do.
        static Services services;
        static SettingsSource source(folder, "storage.folder.root = stored\n");
        static Registry loaded(LOADER, source, services, std::chrono::seconds(60));
        services.add(TD_STREAMS, &streams);
        declare_plugin_keys(source);
        loaded.search(EXAMPLES);
        loaded.choose();
        registry = &loaded;
    }
    static void TearDownTestSuite() { fs::remove_all(folder); }

    static const Extension& extension(const char* kind, const char* id) {
        const Extension* found = registry->find(kind, id);
        if (found == nullptr) throw Error(std::string(kind) + "." + id + " is not active:\n" + registry->listing());
        return *found;
    }
    static std::string text_of_file(const MemoryFile& file) {
        const auto bytes = file.contents();
        return {bytes.begin(), bytes.end()};
    }
    static td_recording recording() {
        td_recording facts{};
        facts.size = sizeof facts;
        return facts;
    }

    static inline fs::path folder;
    static inline const Registry* registry = nullptr;
};

TEST_F(Examples, AreUnderThirtyLinesAndClean) {
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(SOURCES)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("hello-")) continue;
        ++seen;
        for (const auto& source : fs::directory_iterator(entry.path())) {
            std::ifstream in(source.path());
            const auto lines = std::count(std::istreambuf_iterator<char>(in), {}, '\n');
            EXPECT_LT(lines, 30) << source.path();
        }
    }
    EXPECT_EQ(seen, 7);
    for (const PluginFile& file : registry->files()) {
        EXPECT_TRUE(file.verdict.loads) << file.verdict.message;
        EXPECT_THAT(file.verdict.warnings, testing::IsEmpty()) << file.path;
    }
}

TEST_F(Examples, ProtocolPublishesPacketsUntilItIsStopped) {
    Protocol protocol(extension("protocol", "tick"));
    protocol.start();
    EXPECT_TRUE(published().wait([] { return published().packet_count() >= 3; }));
    protocol.stop();
    EXPECT_EQ(published().closed(), "stopped");
    const auto packets = published().packets();
    EXPECT_EQ(packets[2].data, std::vector<std::uint8_t>{2});
    EXPECT_EQ(packets[2].packet.pts, 40);
}

/// A packet of one byte, pointing into a buffer of the host.
struct TestPacket {
    TestPacket(std::uint32_t flags, std::int64_t pts) : buffer(buffer_new(1)) {
        packet.size = sizeof packet;
        packet.flags = flags;
        packet.pts = packet.dts = pts;
        packet.data = buffer->data;
        packet.data_size = 1;
        packet.buffer = buffer;
    }
    ~TestPacket() { buffer_unref(buffer); }
    TestPacket(const TestPacket&) = delete;
    TestPacket& operator=(const TestPacket&) = delete;
    td_buffer* buffer;
    td_packet packet{};
};

TEST_F(Examples, TransformLetsKeyFramesThrough) {
    const Extension& keys_only = extension("transform", "keys_only");
    td_track video{};
    video.size = sizeof video;
    video.kind = TD_VIDEO;
    video.codec = TD_CODEC_H264;
    video.time_base = {1, 1000};
    EXPECT_EQ(Transform::accepts(keys_only, nullptr, video, TD_CODEC_H264), TD_TRANSFORM_MUST);
    EXPECT_EQ(Transform::accepts(keys_only, nullptr, video, TD_CODEC_H265), TD_TRANSFORM_NO);
    RecordingSink sink;
    Transform transform(keys_only, nullptr, video, video, sink);
    transform.push(TestPacket(TD_PACKET_KEY, 0).packet);
    transform.push(TestPacket(0, 40).packet);
    transform.push(TestPacket(TD_PACKET_KEY, 80).packet);
    transform.flush();
    EXPECT_EQ(sink.tracks().size(), 1u);
    ASSERT_EQ(sink.packet_count(), 2u);
    EXPECT_EQ(sink.packets()[1].packet.pts, 80);
}

TEST_F(Examples, WriterWritesAndReaderReads) {
    const Extension& csv = extension("writer", "csv");
    const WriterFacts facts(csv);
    EXPECT_EQ(facts.extension, "csv");
    EXPECT_TRUE(facts.takes(TD_CODEC_H264));
    MemoryFile file;
    {
        Writer writer(csv);
        writer.open(file, recording(), {});
        writer.write(TestPacket(TD_PACKET_KEY, 7).packet);
        EXPECT_EQ(text_of_file(file), "track,pts,bytes\n");
        writer.flush();
        writer.finish();
        td_track late{};
        late.size = sizeof late;
        EXPECT_FALSE(writer.track(late));
    }
    EXPECT_EQ(text_of_file(file), "track,pts,bytes\n0,7,1\n");
    Reader reader(extension("reader", "csv"), file);
    MemoryFile json;
    reader.inspect(json);
    EXPECT_EQ(text_of_file(json), "{\"lines\":2}");
    try {
        reader.cut(0, 1000, false, json);
        FAIL() << "cut";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_UNSUPPORTED);
    }
}

TEST_F(Examples, NamingGivesAFolderForEachStream) {
    const Naming naming(extension("naming", "by_stream"));
    td_recording facts = recording();
    facts.stream = text_of("a/b");
    facts.start_us = 1'700'000'000'000'000;
    EXPECT_EQ(naming.name(facts), "a_b/1700000000");
}

TEST_F(Examples, StorageMovesTheFileOnceAndDoesNotReplace) {
    const Storage storage(extension("storage", "folder"));
    const std::string path = (folder / "done.part").string();
    std::ofstream(path) << "media";
    td_recording facts = recording();
    facts.path = text_of(path);
    const std::string uri = "file://" + (folder / "stored/cam/1.mp4").string();
    EXPECT_EQ(storage.put(facts, "cam/1.mp4", false), uri);
    EXPECT_TRUE(fs::exists(folder / "stored/cam/1.mp4"));
    EXPECT_EQ(storage.put(facts, "cam/1.mp4", false), uri) << "as after a crash";
    std::ofstream(path) << "other";
    try {
        storage.put(facts, "cam/1.mp4", false);
        FAIL() << "replaced";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_EXISTS);
    }
    storage.remove("cam/1.mp4");
    EXPECT_FALSE(fs::exists(folder / "stored/cam/1.mp4"));
}

TEST_F(Examples, HooksAreAskedAndTold) {
    const Hook log(extension("hook", "log")), count(extension("hook", "count"));
    td_stream_info info{};
    info.size = sizeof info;
    EXPECT_EQ(log.admit(TD_PUBLISH, info), "a stream needs a name");
    EXPECT_FALSE(count.admits());
    EXPECT_EQ(count.admit(TD_PUBLISH, info), std::nullopt);
    td_recording facts = recording();
    facts.uri = text_of("file:///x.mp4");
    td_event event{};
    event.size = sizeof event;
    event.kind = TD_RECORD_STORED;
    event.recording = &facts;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    log.event(event);
    count.event(event);
    const std::string lines = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    EXPECT_THAT(lines, testing::HasSubstr("hook.log: stored file:///x.mp4"));
    EXPECT_THAT(lines, testing::HasSubstr("hook.count: 1 recordings stored"));
}

}  // namespace
}  // namespace tapedeck::host
