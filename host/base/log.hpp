// The server's log: text or JSON lines, on the terminal and in rotated files.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace tapedeck::host::log {

enum class Level { Debug, Info, Warning, Error };

struct Options {
    std::filesystem::path folder;  ///< of `tapedeck.log`; empty: terminal only
    bool json = false;
    bool terminal = true;
    Level level = Level::Info;
    std::size_t file_bytes = 10u << 20;
    std::size_t files = 5;
};

/// Opens the log; until then lines go to the terminal. May be called again (SIGHUP). Thread-safe.
void open(const Options& options);
/// Writes out what is buffered.
void flush();
/// One line. Thread-safe, never throws; lines are written by a thread of the log, so the caller never waits for a disk.
void write(Level level, std::string_view line) noexcept;

/// Whether lines of this level are written at all. Any thread.
bool wants(Level level) noexcept;

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (wants(Level::Debug)) write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tapedeck::host::log
