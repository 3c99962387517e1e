// The pipeline of one process: names, order, collisions, failures.
#include "store/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/error.hpp"
#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using doubles::Stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeliveryTest : public ::testing::Test {
protected:
    DeliveryTest() { Stage::get().clear(); }
    ~DeliveryTest() override { Stage::get().clear(); }

    fs::path records(const std::string& name) const { return folder_.path / "records" / name; }
    static constexpr auto limit = 30s;
    const TemporaryFolder folder_;
};

TEST_F(DeliveryTest, GivesAFinishedFileItsNameAndTellsTheHookOnce) {
    Server server(folder_.path, "");
    std::promise<Recording> released;
    server.end(server.begin("cam"), [&](const Recording& named) { released.set_value(named); });
    const Recording named = released.get_future().get();
    ASSERT_TRUE(server.delivery().wait(limit));

    EXPECT_EQ(named.name, "cam.txt");
    EXPECT_EQ(named.path, records("cam.txt").string());
    EXPECT_EQ(named.uri, "file://" + records("cam.txt").string());
    EXPECT_EQ(named.bytes, fs::file_size(records("cam.txt")));
    EXPECT_THAT(text_of_file(records("cam.txt")), HasSubstr("packet 0\npacket 1\npacket 2\nend\n"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
    server.stop();  // the catalogue writes behind
    server.start();
    const auto rows = server.catalog().list("session-of-cam", 10);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.front().state, State::Done);
    EXPECT_TRUE(rows.front().debts.empty());
}

TEST_F(DeliveryTest, LeavesNoFileAndNoRowOfARecordingWithoutPackets) {
    Server server(folder_.path, "");
    auto open = server.begin("cam", 0);
    const fs::path part = open.file.file->path();
    ASSERT_TRUE(fs::exists(part));
    open.writer.reset();
    server.delivery().discard(open.file.row, std::move(open.file.file));
    server.stop();
    EXPECT_FALSE(fs::exists(part));
    server.start();
    EXPECT_TRUE(server.catalog().list("", 10).empty());
    EXPECT_TRUE(Stage::get().seen().empty());
}

TEST_F(DeliveryTest, TellsTheHookOfFragmentsInTheirOrderEvenWhenTheFirstIsSlowest) {
    Server server(folder_.path, "");
    std::promise<void> others;
    std::atomic<int> calls = 0;
    Stage::get().on_finish = [&, ready = others.get_future().share()] {
        if (calls++ == 0)
            ready.wait();
        else if (calls == 3)
            others.set_value();
    };
    server.end(server.begin("cam", 3, 1));
    while (calls == 0) std::this_thread::yield();
    server.end(server.begin("cam", 3, 2));
    server.end(server.begin("cam", 3, 3));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam_1.txt", "stored cam_2.txt", "stored cam_3.txt"));
}

TEST_F(DeliveryTest, TreatsTakenNamesAsTheSettingSays) {
    struct Row {
        const char* mode;
        const char* second;
    };
    for (const auto& [mode, second] : {Row{"overwrite", "cam.txt"}, Row{"suffix", "cam-2.txt"}}) {
        Stage::get().clear();
        const TemporaryFolder folder;
        Server server(folder.path, std::string("record_name_collision = ") + mode);
        server.end(server.begin("cam", 1));
        ASSERT_TRUE(server.delivery().wait(limit));
        server.end(server.begin("cam", 5));
        ASSERT_TRUE(server.delivery().wait(limit));
        EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt", std::string("stored ") + second)) << mode;
        EXPECT_THAT(text_of_file(folder.path / "records" / second), HasSubstr("packet 4")) << mode;
    }
}

TEST_F(DeliveryTest, RefusesToStartWhenTheKnownNameExistsAndTheSettingSaysFail) {
    Server server(folder_.path, "record_name_collision = fail");
    server.end(server.begin("cam"));
    ASSERT_TRUE(server.delivery().wait(limit));
    try {
        server.delivery().require_free_name(Server::recording("cam"));
        FAIL() << "it may start";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_EXISTS);
        EXPECT_THAT(error.what(), HasSubstr("cam.txt exists"));
    }
    Stage::get().stem = "{stream}-{end}";  // not known at the start: it may begin
    server.end(server.begin("cam"));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_TRUE(fs::exists(records("cam-4000.txt")));
}

TEST_F(DeliveryTest, NeverOverwritesAFileThatIsStillOwedToAHook) {
    Server server(folder_.path, "");
    std::promise<void> go;
    Stage::get().on_event = [ready = go.get_future().share()](const td_event&) { ready.wait(); };
    std::promise<void> first, second;
    server.end(server.begin("cam", 1), [&](const Recording&) { first.set_value(); });
    first.get_future().wait();
    auto other = server.begin("cam", 2);
    other.facts.media_session = "another";
    server.end(std::move(other), [&](const Recording& named) {
        EXPECT_EQ(named.name, "cam-2.txt");
        second.set_value();
    });
    second.get_future().wait();
    go.set_value();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(text_of_file(records("cam.txt")), ::testing::Not(HasSubstr("packet 1")));
    EXPECT_THAT(text_of_file(records("cam-2.txt")), HasSubstr("packet 1"));
}

TEST_F(DeliveryTest, RetriesAStorageUntilItTakesTheFile) {
    Server server(folder_.path, "storage = local, more");
    std::atomic<int> puts = 0, more = 0;
    Stage::get().on_put = [&] {
        if (++puts < 4) throw tapedeck::Error(TD_FAILED, "away", true);
    };
    Stage::get().on_more = [&] {
        if (++more < 3) throw tapedeck::Error(TD_FAILED, "away too", true);
    };
    server.end(server.begin("cam"));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_EQ(puts, 4);
    EXPECT_EQ(more, 3);
    EXPECT_TRUE(fs::exists(records("cam.txt")));
    EXPECT_TRUE(fs::exists(folder_.path / "more" / "cam.txt"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
}

TEST_F(DeliveryTest, ReleasesTheStreamAfterItsTimeWithTheReservedName) {
    Server server(folder_.path, "record_stop_timeout = 1ms");
    std::promise<void> go;
    Stage::get().on_put = [ready = go.get_future().share()] { ready.wait(); };
    std::promise<Recording> released;
    server.end(server.begin("cam"), [&](const Recording& named) { released.set_value(named); });
    const Recording named = released.get_future().get();
    EXPECT_EQ(named.name, "cam.txt");
    EXPECT_EQ(named.uri, "");
    go.set_value();
    ASSERT_TRUE(server.delivery().wait(limit));
}

TEST_F(DeliveryTest, KeepsAFileWhoseFolderWasRemovedWhileItWasRecorded) {
    Server server(folder_.path, "");
    auto open = server.begin("cam", 4);
    fs::remove_all(folder_.path / "records");
    server.end(std::move(open));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(text_of_file(records("cam.txt")), HasSubstr("packet 3\nend\n"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
}

TEST_F(DeliveryTest, QuarantinesAFileThatCannotBeFinished) {
    Server server(folder_.path, "");
    Stage::get().on_finish = [] { throw tapedeck::Error(TD_MALFORMED, "nonsense"); };
    std::promise<Recording> released;
    server.end(server.begin("cam"), [&](const Recording& named) { released.set_value(named); });
    EXPECT_EQ(released.get_future().get().name, "");
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_TRUE(fs::exists(records("session-of-cam-1.part.txt.quarantined")));
    server.stop();
    server.start();
    EXPECT_EQ(server.catalog().list("", 1).front().state, State::Quarantined);
}

TEST_F(DeliveryTest, TellsOfAFailureBeforeTheFileThatWasKept) {
    Server server(folder_.path, "");
    auto open = server.begin("cam");
    server.delivery().event_started(open.facts);
    server.delivery().event_failed(open.facts, "Not enough available disk space");
    server.end(std::move(open));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("started ", "failed ", "stored cam.txt"));
}

TEST_F(DeliveryTest, WaitsForNoHookThatIsToBeToldOfTheStartAgain) {
    Server server(folder_.path, "hook_retry_delay = 10min");
    Stage::get().on_event = [](const td_event&) { throw tapedeck::Error(TD_FAILED, "not now", true); };
    auto open = server.begin("cam");
    server.delivery().event_started(open.facts);
    server.end(std::move(open));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_TRUE(fs::exists(records("cam.txt")));
    EXPECT_EQ(server.delivery().pending(), 1u) << "it is owed";
}

TEST_F(DeliveryTest, ShowsTheNameAsFarAsItIsKnown) {
    Server server(folder_.path, "");
    Stage::get().stem = "{stream}-{end}";
    const auto open = server.begin("cam", 1, 2);
    EXPECT_EQ(server.delivery().provisional_name(open.facts), "cam-{end}_2.txt");
}

TEST_F(DeliveryTest, NamesARecordingByItsSessionWhenTheNamingIsRefused) {
    Server server(folder_.path, "");
    for (const char* stem : {"../../etc/cron", "/etc/cron", "a\nb"}) {
        Stage::get().stem = stem;
        server.end(server.begin("cam"));
        ASSERT_TRUE(server.delivery().wait(limit));
        EXPECT_TRUE(fs::exists(records("session-of-cam.txt"))) << stem;
    }
}

TEST_F(DeliveryTest, StagesInAnotherFileSystemAndWritesTheMediaOnceOnTheTarget) {
    const TemporaryFolder memory("/dev/shm");
    Stage::get().rewrites = true;
    Server server(folder_.path, "record_tmp_dir = " + memory.path.string());
    auto open = server.begin("cam");
    EXPECT_EQ(open.file.file->path().parent_path(), memory.path);
    std::string at_put;
    Stage::get().on_put = [&] { at_put = records("session-of-cam-1.part.txt").string(); };
    server.end(std::move(open));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(text_of_file(records("cam.txt")), HasSubstr("packet 2\nend\n"));
    EXPECT_TRUE(fs::is_empty(memory.path));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& one : fs::directory_iterator(folder_.path / "records")) ++files;
    EXPECT_EQ(files, 1u);
}

TEST_F(DeliveryTest, NamesTheFolderThatCannotBeWritten) {
    const fs::path file = folder_.path / "occupied";
    std::ofstream(file) << "not a folder";
    try {
        const Server server(folder_.path, "record_tmp_dir = " + file.string());
        FAIL() << "it started";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("record_tmp_dir: the folder " + file.string() + " cannot be written"));
    }
}

}  // namespace
}  // namespace tapedeck::host::test
