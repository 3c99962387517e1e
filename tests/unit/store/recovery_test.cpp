// Kills after each step, lost catalogues, torn files: the next process ends what was begun.
#include "store/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/error.hpp"
#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using doubles::Stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class RecoveryTest : public ::testing::Test {
protected:
    RecoveryTest() { Stage::get().clear(); }
    ~RecoveryTest() override { Stage::get().clear(); }

    /// Leaves an open recording as a kill does.
    void abandon(Server& server, const std::string& stream, int packets) {
        auto open = server.begin(stream, packets);
        ASSERT_TRUE(server.catalog().wait(limit));
        open.writer.reset();
        open.file.file.reset();
        server.stop();
    }
    std::vector<std::string> names(const fs::path& folder) const {
        std::vector<std::string> found;
        for (const auto& one : fs::directory_iterator(folder)) found.push_back(one.path().filename());
        return found;
    }
    fs::path records(const std::string& name) const { return folder_.path / "records" / name; }
    static constexpr auto limit = 30s;
    const TemporaryFolder folder_;
};

TEST_F(RecoveryTest, EndsTheSameWhereverThePipelineWasKilled) {
    for (const char* temporary : {"", "/dev/shm"}) {
        for (const std::string step :
             {"naming", "named", "finishing", "committing", "finished", "putting", "stored", "told"}) {
            const std::string label = step + " with tmp '" + temporary + "'";
            Stage::get().clear();
            Stage::get().rewrites = *temporary != '\0';
            const TemporaryFolder folder;
            const TemporaryFolder memory(*temporary != '\0' ? temporary : "/tmp");
            Server server(folder.path, *temporary != '\0' ? "record_tmp_dir = " + memory.path.string() : "");
            std::promise<void> killed;
            server.delivery().on_step([&](std::string_view at, std::int64_t) {
                if (at != step) return true;
                killed.set_value();
                return false;
            });
            server.end(server.begin("cam"));
            killed.get_future().wait();
            server.stop();

            server.start();
            server.delivery().sweep();
            ASSERT_TRUE(server.delivery().wait(limit)) << label;
            EXPECT_THAT(names(folder.path / "records"), ElementsAre("cam.txt")) << label;
            EXPECT_TRUE(fs::is_empty(memory.path)) << label;
            EXPECT_THAT(text_of_file(folder.path / "records" / "cam.txt"), HasSubstr("packet 2\nend\n")) << label;
            // Twice only when the kill falls between the hook's end and its entry.
            if (step == "told") {
                EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt", "stored cam.txt")) << label;
                EXPECT_EQ(Stage::get().ids.front(), Stage::get().ids.back());
            } else {
                EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt")) << label;
            }
            EXPECT_EQ(server.catalog().list("", 10).size(), 1u) << label;
            server.stop();
            server.start();  // nothing is left to do for a third process
            server.delivery().sweep();
            ASSERT_TRUE(server.delivery().wait(limit)) << label;
            EXPECT_EQ(Stage::get().seen().size(), step == "told" ? 2u : 1u) << label;
        }
    }
}

TEST_F(RecoveryTest, NamesAndAnnouncesARecordingThatWasCutOff) {
    Server server(folder_.path, "");
    Stage::get().stem = "{stream}-{end}";
    abandon(server, "cam", 5);
    std::ofstream(records("session-of-cam-1.part.txt"), std::ios::app) << "packet torn";
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    // 5 packets of a second each after the start at 1 s.
    EXPECT_THAT(names(folder_.path / "records"), ElementsAre("cam-6000.txt"));
    EXPECT_THAT(text_of_file(records("cam-6000.txt")), HasSubstr("packet 4\nend\n"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam-6000.txt"));
}

TEST_F(RecoveryTest, FindsFilesWhoseCatalogueWasLost) {
    Server server(folder_.path, "");
    abandon(server, "cam", 2);
    fs::remove_all(folder_.path / "state");
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(names(folder_.path / "records"), ElementsAre("cam.txt"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
}

TEST_F(RecoveryTest, BeginsANewCatalogueWhenItIsDamaged) {
    Server server(folder_.path, "");
    abandon(server, "cam", 2);
    std::ofstream(folder_.path / "state" / "catalogue.db", std::ios::trunc) << std::string(8192, 'x');
    fs::remove(folder_.path / "state" / "catalogue.db-wal");
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(names(folder_.path / "records"), ElementsAre("cam.txt"));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
    EXPECT_THAT(names(folder_.path / "state"), ::testing::Contains(::testing::StartsWith("catalogue.db.damaged-")));
}

TEST_F(RecoveryTest, QuarantinesWhatHasNoPacket) {
    Server server(folder_.path, "");
    abandon(server, "cam", 0);
    std::ofstream(records("stranger-1.part.txt")) << "not ours";
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(names(folder_.path / "records"),
                UnorderedElementsAre("session-of-cam-1.part.txt.quarantined", "stranger-1.part.txt.quarantined"));
    EXPECT_TRUE(Stage::get().seen().empty());
}

TEST_F(RecoveryTest, DeletesFilesThatWereKilledBeforeTheirFirstByte) {
    Server server(folder_.path, "");
    auto facts = Server::recording("cam");
    { const OpenFile open = server.delivery().open(facts); }
    { const File stray(records("stray-1.part.txt"), File::Mode::Create); }
    ASSERT_TRUE(server.catalog().wait(limit));
    server.stop();
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(names(folder_.path / "records"), ElementsAre());
    EXPECT_TRUE(server.catalog().list("", 10).empty());
    EXPECT_TRUE(Stage::get().seen().empty());
}

TEST_F(RecoveryTest, LeavesTheRunningRecordingsOfThisProcessAlone) {
    Server server(folder_.path, "");
    auto open = server.begin("cam", 2);
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_TRUE(fs::exists(open.file.file->path()));
    server.end(std::move(open));
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam.txt"));
}

TEST_F(RecoveryTest, LeavesTheRunningRecordingsOfAnotherProcessAlone) {
    Server server(folder_.path, "");
    const File other(folder_.path / "records" / "theirs-1.part.txt", File::Mode::Create);
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_TRUE(fs::exists(other.path()));
}

TEST_F(RecoveryTest, KeepsTheOrderOfFragmentsOverARestart) {
    Server server(folder_.path, "");
    std::vector<Server::Open> open;
    for (std::uint32_t n = 1; n <= 3; ++n) open.push_back(server.begin("cam", static_cast<int>(n), n));
    ASSERT_TRUE(server.catalog().wait(limit));
    open.clear();
    server.stop();
    server.start();
    server.delivery().sweep();
    ASSERT_TRUE(server.delivery().wait(limit));
    EXPECT_THAT(Stage::get().seen(), ElementsAre("stored cam_1.txt", "stored cam_2.txt", "stored cam_3.txt"));
}

TEST_F(RecoveryTest, AsksEachWriterOfTheExtensionForAFileWithoutARow) {
    Server server(folder_.path, "");
    abandon(server, "cam", 2);
    for (const bool reversed : {false, true}) {
        auto writers = server.all("writer");
        if (reversed) std::ranges::reverse(writers);
        const Torn torn = recover(records("session-of-cam-1.part.txt"), {}, [&](std::string_view) { return writers; });
        EXPECT_EQ(torn.packets, 2u);
        EXPECT_EQ(torn.facts.writer, "txt");
        EXPECT_EQ(torn.facts.stream, "cam");
    }
}

TEST_F(RecoveryTest, MakesOneFileWholeByHand) {
    Server server(folder_.path, "");
    abandon(server, "cam", 2);
    const auto extensions = [&](std::string_view kind) { return server.all(kind); };
    const RecoveredFile made = recover_one(records("session-of-cam-1.part.txt"), extensions);
    EXPECT_EQ(made.path, records("session-of-cam-1.txt"));
    EXPECT_EQ(made.packets, 2u);
    EXPECT_EQ(made.duration_us, 2'000'000);
    EXPECT_THAT(text_of_file(made.path), HasSubstr("packet 1\nend\n"));
    std::ofstream(records("empty.part.txt")) << "nothing\n";
    EXPECT_THROW(recover_one(records("empty.part.txt"), extensions), Error);
    EXPECT_TRUE(fs::exists(records("empty.part.txt")));
}

}  // namespace
}  // namespace tapedeck::host::test
