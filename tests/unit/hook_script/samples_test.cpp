// The scripts that people have: the two samples of the specification (R37, R39), unchanged, and the one we ship.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "process.hpp"
#include "scripts.hpp"

namespace tapedeck::script {
namespace {

bool uncancelled() {
    return false;
}

/// Runs a sample where its absolute paths exist, see in_namespace.sh. The output then shows what it left there.
class Samples : public testing::Test {
protected:
    void SetUp() override {
        const Command probe{.program = scripts_.add("probe.sh", in_namespace + "mount -t tmpfs x /opt\n")};
        const auto outcome = run(probe, uncancelled);
        ASSERT_TRUE(outcome.succeeded()) << outcome.output
                                         << "this user may not make namespaces: run the test as root, or set "
                                            "kernel.unprivileged_userns_clone=1";
    }
    Outcome run_sample(const std::string& name, const std::string& change = "") const {
        const auto script = scripts_.add("run.sh", in_namespace + "'" SAMPLES "/in_namespace.sh' '" SAMPLES "/" + name +
                                                       "' '" + change + "' \"$@\"\n");
        return run(
            {.program = script, .arguments = {"cam1", "/usr/local/FlashphonerWebCallServer/records/stream-1.mp4"}},
            uncancelled);
    }
    /// The rest of the line runs there: with root's own right, or the one that each user has over a namespace of
    /// theirs.
    const std::string in_namespace = "#!/bin/sh\nunshare -m true 2>/dev/null && own= || own=r\nexec unshare -m$own ";
    Scripts scripts_;
};

TEST_F(Samples, TheOneThatCopiesForAWebServerWorks) {
    const auto outcome = run_sample("sample_r37.sh");
    EXPECT_EQ(outcome.output, "/var/www/html/stream_records/cam1-stream-1.mp4=media\n");
    EXPECT_EQ(outcome.code, 0);
}

TEST_F(Samples, TheOneThatLogsAndCopiesWorks) {
    const auto outcome = run_sample("sample_r39.sh");
    EXPECT_EQ(outcome.output,
              "/opt/media/stream-1.mp4=media\n/usr/local/FlashphonerWebCallServer/logs/record.log="
              "cam1:/usr/local/FlashphonerWebCallServer/records/stream-1.mp4\n");
    EXPECT_EQ(outcome.code, 0);
}

TEST_F(Samples, AFolderThatCannotBeWrittenIsNamed) {
    const auto outcome = run_sample("sample_r39.sh", "mount -t tmpfs -o ro test /opt/media");
    EXPECT_NE(outcome.code, 0);
    EXPECT_NE(outcome.output.find("/opt/media/stream-1.mp4"), std::string::npos) << outcome.output;
}

class ShippedScript : public testing::Test {
protected:
    Outcome run_shipped(const std::string& stream, std::vector<std::string> environment = {}) const {
        return run(
            {.program = SHIPPED_SCRIPT, .arguments = {stream, file_.string()}, .environment = std::move(environment)},
            uncancelled);
    }
    Scripts home_;
    fs::path file_ = home_.add("records/x.mp4", "media");
    std::string home_variable_ = "TAPEDECK_HOME=" + home_.folder().string();
};

TEST_F(ShippedScript, NotesEachRecordingWithItsDate) {
    for (const std::string stream : {"cam1", "$(touch pwned) \"x;y"}) {
        const auto outcome = run_shipped(stream, {home_variable_});
        EXPECT_TRUE(outcome.succeeded()) << outcome.output;
        EXPECT_EQ(outcome.output, "");
    }
    const auto log = home_.read("logs/record.log");
    EXPECT_NE(log.find("] cam1:" + file_.string() + "\n["), std::string::npos) << log;
    EXPECT_NE(log.find("] $(touch pwned) \"x;y:" + file_.string() + "\n"), std::string::npos) << log;
    EXPECT_TRUE(log.starts_with("[20")) << log;
}

TEST_F(ShippedScript, KeepsOneLineForEachRecording) {
    EXPECT_TRUE(run_shipped("a\n[2020-01-01 00:00:00] forged:x", {home_variable_}).succeeded());
    const auto log = home_.read("logs/record.log");
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST_F(ShippedScript, FindsItsHomeByItself) {
    const auto copy = home_.folder() / "bin/on_record_hook.sh";
    fs::create_directories(copy.parent_path());
    fs::copy_file(SHIPPED_SCRIPT, copy);
    EXPECT_TRUE(run({.program = copy, .arguments = {"cam1", file_.string()}}, uncancelled).succeeded());
    EXPECT_NE(home_.read("logs/record.log").find("] cam1:"), std::string::npos);
}

TEST_F(ShippedScript, CopiesWhereItIsToldTo) {
    fs::create_directories(home_.folder() / "media");
    EXPECT_TRUE(run_shipped("cam1", {home_variable_, "COPY_TO=" + (home_.folder() / "media").string()}).succeeded());
    EXPECT_EQ(home_.read("media/x.mp4"), "media");
}

TEST_F(ShippedScript, NamesTheFolderThatCannotBeWritten) {
    const auto missing = (home_.folder() / "missing").string();
    const auto outcome = run_shipped("cam1", {home_variable_, "COPY_TO=" + missing});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_TRUE(outcome.output.starts_with("cannot write folder " + missing + " for user ")) << outcome.output;
}

}  // namespace
}  // namespace tapedeck::script
