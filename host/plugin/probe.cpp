#include "plugin/probe.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "plugin/probe_child.hpp"
#include "plugin/probe_report.hpp"

extern char** environ;

namespace tapedeck::host {
namespace {

using Clock = std::chrono::steady_clock;

std::string system_text(int error_number) {
    return std::generic_category().message(error_number);
}

class Handle {
public:
    explicit Handle(int number = -1) : number_(number) {}
    ~Handle() { reset(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    int get() const { return number_; }
    void reset(int number = -1) {
        if (number_ >= 0) ::close(number_);
        number_ = number;
    }

private:
    int number_;
};

/// What the child is started with: the pipe as its only file besides the null device, signals as they are by default, a
/// process group of its own so that all it starts can be ended with it.
class Start {
public:
    explicit Start(int pipe_end) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files_, 1, 2);
        ::posix_spawn_file_actions_adddup2(&files_, pipe_end, probe_report_fd);
        ::posix_spawn_file_actions_addclosefrom_np(&files_, probe_report_fd + 1);
        ::posix_spawnattr_init(&attributes_);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~Start() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Start(const Start&) = delete;
    Start& operator=(const Start&) = delete;

    /// 0 or an error number.
    int run(const std::vector<std::string>& arguments, pid_t& child) {
        std::vector<char*> argv;
        for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        std::vector<char*> environment;
        for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
        std::string mark = std::string(probe_report_variable) + "=1";
        environment.push_back(mark.data());
        environment.push_back(nullptr);
        return ::posix_spawn(&child, argv[0], &files_, &attributes_, argv.data(), environment.data());
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

int remaining_ms(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left);
}

/// Gathers the report until the child has ended; where the system has no handle for it (-1), until it has closed the
/// pipe. False: the deadline came first.
bool gather(int report_pipe, int child_handle, Clock::time_point deadline, std::string& report) {
    bool open = true;
    for (;;) {
        pollfd waits[2] = {{open ? report_pipe : -1, POLLIN, 0}, {child_handle, POLLIN, 0}};
        const int ready = ::poll(waits, 2, remaining_ms(deadline));
        if (ready == 0) return false;
        if (ready < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        // The pipe first: what the child wrote before it ended is still in it.
        if (waits[0].revents != 0) {
            char bytes[16384];
            const ssize_t got = ::read(report_pipe, bytes, sizeof bytes);
            if (got > 0) report.append(bytes, static_cast<std::size_t>(got));
            open = got > 0 && report.size() <= longest_report;
            if (!open && child_handle < 0) return true;
            continue;
        }
        if (waits[1].revents != 0) return true;
    }
}

std::string limit_text(std::chrono::milliseconds limit) {
    if (limit.count() % 1000 == 0) return fmt::format("{} s", limit.count() / 1000);
    return fmt::format("{} ms", limit.count());
}

ProbeOutcome judge(int status, const std::string& report) {
    const auto outcome = decode_report(report);
    if (outcome) return *outcome;
    if (WIFSIGNALED(status)) return {ProbeOutcome::End::Crashed, ::strsignal(WTERMSIG(status)), {}};
    return {ProbeOutcome::End::Exited, fmt::format("exit status {}", WEXITSTATUS(status)), {}};
}

}  // namespace

ProbeOutcome probe(const std::filesystem::path& executable, const std::filesystem::path& file,
                   std::chrono::milliseconds limit) {
    const auto failed = [](std::string_view what, int error_number) {
        return ProbeOutcome{ProbeOutcome::End::Failed, fmt::format("{}: {}", what, system_text(error_number)), {}};
    };
    const auto deadline = Clock::now() + limit;
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return failed("pipe", errno);
    Handle reads(ends[0]), writes(ends[1]);
    // dup2 of a descriptor onto itself would leave it to be closed at exec.
    if (writes.get() == probe_report_fd) {
        const int moved = ::fcntl(writes.get(), F_DUPFD_CLOEXEC, probe_report_fd + 1);
        if (moved < 0) return failed("pipe", errno);
        writes.reset(moved);
    }
    pid_t child = -1;
    if (const int error = Start(writes.get()).run({executable.string(), "--probe", file.string()}, child); error != 0)
        return failed(executable.string(), error);
    writes.reset();
    const Handle handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    std::string report;
    const bool ended = gather(reads.get(), handle.get(), deadline, report);
    ::kill(-child, SIGKILL);  // it and what it started; the group may be gone already
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!ended) return {ProbeOutcome::End::Hung, limit_text(limit), {}};
    return judge(status, report);
}

}  // namespace tapedeck::host
