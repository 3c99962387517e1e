// The command line: what to do, and doing it.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace tapedeck::host {

/// Everything after the program's name; gives the exit code. `executable` is the running program's own file.
int run_command_line(const std::filesystem::path& executable, std::span<const std::string> arguments);

}  // namespace tapedeck::host
