// Waits for a program within a time limit and keeps its output.
#include "process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "spawn.hpp"

namespace tapedeck::script {

namespace {

using Clock = std::chrono::steady_clock;

/// One running child: its end, its output, and the way to end it.
class Running {
public:
    Running(const Command& command, Outcome& outcome)
        : command_(command),
          outcome_(outcome),
          child_(spawn(command)),
          ended_(static_cast<int>(::syscall(SYS_pidfd_open, child_.process, 0))) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// Waits until the child has ended or `limit` passed or `give_up()`; true when it has ended.
    template <class GiveUp>
    bool wait_until(Clock::time_point limit, GiveUp give_up) {
        while (!reaped_) {
            const auto now = Clock::now();
            if (now >= limit || give_up()) return false;
            // Where the kernel has no pidfd, the child is asked for more often instead.
            const auto tick = std::chrono::milliseconds(ended_ ? 200 : 20);
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - now);
            std::array<pollfd, 2> waits{{{ended_.get(), POLLIN, 0}, {child_.output.get(), POLLIN, 0}}};
            ::poll(waits.data(), waits.size(), static_cast<int>(std::min(tick, left).count()));
            read_output();
            reap();
        }
        return true;
    }
    void signal(int number) const { ::kill(-child_.process, number); }

private:
    /// What is there now. At the end of the output, or when a background process holds it, it is only looked at.
    void read_output() {
        std::array<char, 16384> room{};
        for (int rounds = 0; rounds < 64 && child_.output; ++rounds) {
            const auto got = ::read(child_.output.get(), room.data(), room.size());
            if (got < 0 && errno == EINTR) continue;
            if (got == 0) child_.output = Descriptor();
            if (got <= 0) return;
            outcome_.output.append(room.data(), static_cast<std::size_t>(got));
            leave_out_the_middle();
        }
    }
    /// The beginning and the end of a long output tell the most.
    void leave_out_the_middle() {
        if (outcome_.output.size() <= command_.output_limit) return;
        const auto excess = outcome_.output.size() - command_.output_limit;
        outcome_.output.erase(command_.output_limit / 2, excess);
        outcome_.output_dropped += excess;
    }
    void reap() {
        int status = 0;
        const auto answer = ::waitpid(child_.process, &status, WNOHANG);
        if (answer == 0 || (answer < 0 && errno == EINTR)) return;
        reaped_ = true;
        read_output();
        if (answer < 0) {  // somebody else took its end: not known to be good
            outcome_.end = Outcome::exited;
            outcome_.code = -1;
        } else if (WIFSIGNALED(status)) {
            outcome_.end = Outcome::signalled;
            outcome_.code = WTERMSIG(status);
        } else {
            outcome_.end = Outcome::exited;
            outcome_.code = WEXITSTATUS(status);
        }
    }

    const Command& command_;
    Outcome& outcome_;
    Child child_;
    Descriptor ended_;
    bool reaped_ = false;
};

}  // namespace

Outcome run(const Command& command, const std::function<bool()>& cancelled) {
    Outcome outcome;
    Running running(command, outcome);
    bool stopped = false;
    if (running.wait_until(Clock::now() + command.limit, [&] { return stopped = cancelled(); })) return outcome;
    const auto never = [] { return false; };
    running.signal(SIGTERM);
    const bool obeyed = running.wait_until(Clock::now() + command.grace, never);
    running.signal(SIGKILL);  // also what the leader of the group left behind
    // A process that hangs in the kernel (a dead network mount) is left to itself: nothing waits for it.
    if (!obeyed) running.wait_until(Clock::now() + std::chrono::seconds(5), never);
    outcome.end = stopped ? Outcome::cancelled : Outcome::timed_out;
    outcome.code = 0;
    return outcome;
}

}  // namespace tapedeck::script
