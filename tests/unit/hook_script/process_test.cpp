// Programs: arguments, output, limits, and what they must not touch.
#include "process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "scripts.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::script {
namespace {

using std::chrono::milliseconds;

bool never() {
    return false;
}

class Process : public testing::Test {
protected:
    Command command(const std::string& text, std::vector<std::string> arguments = {}) const {
        return {.program = scripts_.add("run.sh", text), .arguments = std::move(arguments)};
    }
    Outcome run_script(const std::string& text, std::vector<std::string> arguments = {}) const {
        return run(command(text, std::move(arguments)), never);
    }
    static Error refused(const Command& command) {
        try {
            run(command, never);
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "it ran";
        return Error("none");
    }
    /// Whether a process ends soon; the number is in a file that it wrote.
    bool is_gone(const std::string& file) const {
        const pid_t process = std::stoi(scripts_.read(file));
        for (int tries = 0; tries < 500; ++tries) {
            if (::kill(process, 0) != 0) return true;
            std::ifstream state("/proc/" + std::to_string(process) + "/stat");
            std::string number, name, letter;
            if (state >> number >> name >> letter && letter == "Z") return true;  // ended, its parent is init
            ::usleep(10'000);
        }
        return false;
    }

    Scripts scripts_;
};

TEST_F(Process, GivesExitCodeAndOutput) {
    const auto outcome = run_script("#!/bin/sh\necho out\necho err >&2\nexit 3\n");
    EXPECT_EQ(outcome.end, Outcome::exited);
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.output, "out\nerr\n");
    EXPECT_FALSE(outcome.succeeded());
    EXPECT_TRUE(run_script("#!/bin/sh\nexit 0\n").succeeded());
}

TEST_F(Process, PassesArgumentsAsTheyAre) {
    for (const std::string argument : {"$(touch pwned) \"x;y", "`id`", "a b  c", "'", "-rf", "", "*", "x\ny", "\xFF"}) {
        auto script = command("#!/bin/sh\nprintf '%s|%s' \"$1\" \"$#\"\n", {argument, "/records/x.mp4"});
        script.folder = scripts_.folder();
        EXPECT_EQ(run(script, never).output, argument + "|2");
    }
    EXPECT_FALSE(fs::exists(scripts_.folder() / "pwned"));
    EXPECT_EQ(run_script("#!/bin/sh\nprintf %s \"$1\"\n", {std::string("a\0b", 3)}).output,
              "a\xEF\xBF\xBD"
              "b");
}

TEST_F(Process, RunsInItsFolderWithItsEnvironment) {
    auto script = command("#!/bin/sh\npwd\necho \"$TAPEDECK_STREAM|$HOME|$PATH\"\n");
    script.folder = fs::canonical(scripts_.folder());
    script.environment = {"TAPEDECK_STREAM=a=b", "HOME=/nowhere"};
    const auto path = std::string(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
    EXPECT_EQ(run(script, never).output, script.folder.string() + "\na=b|/nowhere|" + path + "\n");
}

TEST_F(Process, RunsAScriptWithoutAFirstLineByBash) {
    EXPECT_EQ(run_script("A=records/x\necho \"${A/records/media}$1\"\n", {"!"}).output, "media/x!\n");
}

TEST_F(Process, SaysWhatCannotRun) {
    const auto missing = refused({.program = scripts_.folder() / "missing.sh"});
    EXPECT_EQ(missing.status(), TD_NOT_FOUND);
    EXPECT_EQ(missing.what(), "there is no script " + (scripts_.folder() / "missing.sh").string());
    const auto plain = refused({.program = scripts_.add("plain.sh", "#!/bin/sh\n", fs::perms(0644))});
    EXPECT_EQ(plain.status(), TD_DENIED);
    EXPECT_NE(std::string(plain.what()).find("not executable"), std::string::npos);
    const auto folder = refused({.program = scripts_.folder()});
    EXPECT_EQ(folder.status(), TD_NOT_FOUND);
    EXPECT_NE(std::string(folder.what()).find("is a folder"), std::string::npos);
    const auto windows = refused({.program = scripts_.add("crlf.sh", "#!/bin/sh\r\nexit 0\r\n")});
    EXPECT_EQ(windows.status(), TD_NOT_FOUND);
    EXPECT_NE(std::string(windows.what()).find("interpreter"), std::string::npos);
    auto homeless = command("#!/bin/sh\n");
    homeless.folder = scripts_.folder() / "gone";
    EXPECT_NE(std::string(refused(homeless).what()).find("there is no folder"), std::string::npos);
    for (const auto& error : {missing, plain, folder, windows}) EXPECT_FALSE(error.retryable()) << error.what();
}

TEST_F(Process, EndsAProgramThatHangsWithAllItStarted) {
    auto script = command("#!/bin/sh\nsleep 300 &\necho $! >\"$1\"\necho before\nwait\n",
                          {(scripts_.folder() / "child").string()});
    script.limit = milliseconds(500);
    const auto outcome = run(script, never);
    EXPECT_EQ(outcome.end, Outcome::timed_out);
    EXPECT_EQ(outcome.output, "before\n");
    EXPECT_TRUE(is_gone("child"));
}

TEST_F(Process, KillsAProgramThatIgnoresTheFirstSignal) {
    auto script = command("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n");
    script.limit = milliseconds(200);
    script.grace = milliseconds(200);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run(script, never).end, Outcome::timed_out);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(Process, EndsAProgramWhenTheHostStops) {
    std::atomic<int> asked{0};
    const auto outcome = run(command("#!/bin/sh\nexec sleep 300\n"), [&] { return ++asked > 1; });
    EXPECT_EQ(outcome.end, Outcome::cancelled);
}

TEST_F(Process, TellsASignalFromAnExitCode) {
    const auto outcome = run_script("#!/bin/sh\nkill -9 $$\n");
    EXPECT_EQ(outcome.end, Outcome::signalled);
    EXPECT_EQ(outcome.code, SIGKILL);
}

TEST_F(Process, KeepsTheBeginningAndTheEndOfALongOutput) {
    auto script = command("#!/bin/sh\necho begin\nhead -c 3000000 /dev/zero | tr '\\0' x\necho\necho end\nexit 1\n");
    script.output_limit = 1000;
    const auto outcome = run(script, never);
    EXPECT_EQ(outcome.output.size(), 1000u);
    EXPECT_TRUE(outcome.output.starts_with("begin\nxxx"));
    EXPECT_TRUE(outcome.output.ends_with("xxx\nend\n"));
    EXPECT_EQ(outcome.output_dropped, 6u + 3000000 + 1 + 4 - 1000);
}

TEST_F(Process, DoesNotWaitForWhatRunsOnInTheBackground) {
    const auto begun = std::chrono::steady_clock::now();
    const auto outcome =
        run_script("#!/bin/sh\nsleep 300 &\necho $! >\"$1\"\necho started\n", {(scripts_.folder() / "child").string()});
    EXPECT_TRUE(outcome.succeeded());
    EXPECT_EQ(outcome.output, "started\n");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    const pid_t child = std::stoi(scripts_.read("child"));
    EXPECT_EQ(::kill(child, SIGKILL), 0) << "it still ran";
}

TEST_F(Process, HasNoFilesOfTheServerAndNoInput) {
    const int secret = ::open("/dev/zero", O_RDONLY);  // as a socket of a library that forgot O_CLOEXEC
    ASSERT_GT(secret, 2);
    const auto outcome = run_script("#!/bin/sh\n[ -e /proc/self/fd/" + std::to_string(secret) +
                                    " ] && echo leaked\nread line && echo \"$line\"\necho done\n");
    ::close(secret);
    EXPECT_EQ(outcome.output, "done\n");
}

TEST_F(Process, HasTheDefaultActionsOfSignals) {
    const auto before = ::signal(SIGPIPE, SIG_IGN);  // as servers do
    const auto outcome = run_script("#!/bin/bash\nyes | head -n 1\necho ${PIPESTATUS[0]}\n");
    ::signal(SIGPIPE, before);
    EXPECT_EQ(outcome.output, "y\n" + std::to_string(128 + SIGPIPE) + "\n");
}

TEST_F(Process, LeavesChildrenOfOthersAlone) {
    const pid_t other = ::fork();
    if (other == 0) ::_exit(7);
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(other), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(run_script("#!/bin/sh\nexit 0\n").succeeded());
    int status = 0;
    EXPECT_EQ(::waitpid(other, &status, 0), other) << "its end is still there for its owner";
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace tapedeck::script
