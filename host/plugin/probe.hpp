// Loads a plugin in a child process first, so that one that crashes or hangs takes nothing down.
#pragma once

#include <chrono>
#include <filesystem>

#include "plugin/facts.hpp"

namespace tapedeck::host {

/// Runs `<executable> --probe <file>` and waits for its report. Any thread; throws nothing. After `limit` the child and
/// all that it started are killed.
ProbeOutcome probe(const std::filesystem::path& executable, const std::filesystem::path& file,
                   std::chrono::milliseconds limit = std::chrono::seconds(5));

/// The child's side: `main` calls it at once for `--probe <file>` and returns what it returns. Loads the file, reports
/// through the pipe that `probe` opened and ends the process without running destructors of the plugin.
int probe_main(const std::filesystem::path& file);

}  // namespace tapedeck::host
