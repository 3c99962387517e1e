// Runs a program with arguments, never through a shell's string, within a time limit.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tapedeck::script {

struct Command {
    std::filesystem::path program;
    std::vector<std::string> arguments{};    ///< after the program's own name; a NUL byte becomes U+FFFD
    std::vector<std::string> environment{};  ///< `NAME=value`, on top of the server's own
    std::filesystem::path folder{};          ///< to run in; empty: the server's
    std::chrono::milliseconds limit{60'000};
    std::chrono::milliseconds grace{2'000};  ///< from SIGTERM to SIGKILL, when it must be ended
    std::size_t output_limit = 16 << 10;     ///< bytes of output that are kept, half of them from its end
};

struct Outcome {
    enum {
        exited,     ///< `code` is its exit code
        signalled,  ///< `code` is the signal that ended it
        timed_out,  ///< ended by us after the limit
        cancelled   ///< ended by us since `cancelled()` said so
    } end = exited;
    int code = 0;
    std::string output;              ///< standard output and error as they came
    std::size_t output_dropped = 0;  ///< bytes that were not kept

    bool succeeded() const { return end == exited && code == 0; }
};

/// Blocks until the program ends, not for what it left running in the background. The program has a process group of
/// its own, no standard input, none of the server's files and the signals' default actions; a program without `#!` is
/// run by bash, as a shell does. Where it must be ended, the whole group is.
///
/// Waits on this child alone (pidfd): children of other parts are not touched and SIGCHLD is not needed. Throws
/// Error: TD_NOT_FOUND or TD_DENIED where the program is missing or not executable, which do not change by waiting.
Outcome run(const Command& command, const std::function<bool()>& cancelled);

}  // namespace tapedeck::script
