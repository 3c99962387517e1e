// Makes torn files whole: at start-up by the delivery's sweep, by hand with `tapedeck --recover FILE`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "plugin/writer.hpp"
#include "store/file.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

/// A file that a writer has looked through.
struct Torn {
    std::unique_ptr<File> file;
    std::unique_ptr<Writer> writer;  ///< `finish` it when packets were found
    Recording facts;                 ///< of the memo, with what the file itself says of its duration
    std::uint64_t packets = 0;
    bool has_memo = false;
    bool is_empty = false;  ///< no byte in it: no writer was asked
};

/// The active extensions of a kind; the registry's `all`.
using Extensions = std::function<std::vector<const Extension*>(std::string_view kind)>;

/// Looks through the file with the writer of `known.writer`, or else with those of its extension until one finds
/// packets. `known` is what the catalogue has; without a row the memo in the file says who it is. Throws Error:
/// TD_NOT_FOUND when no such writer is enabled, TD_UNSUPPORTED when it cannot recover, TD_EXISTS when another process
/// has the file open.
Torn recover(const std::filesystem::path& path, const Recording& known, const Extensions& extensions);

struct RecoveredFile {
    std::filesystem::path path;  ///< without `.part`; `-2`, `-3`, ... when that exists
    std::uint64_t packets = 0;
    std::int64_t duration_us = 0;  ///< TD_NO_TIME: not known
};

/// Recovers, finishes and renames one file that no server knows of. Throws Error; then the file is where it was.
RecoveredFile recover_one(const std::filesystem::path& path, const Extensions& extensions);

}  // namespace tapedeck::host
