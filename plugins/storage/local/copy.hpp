// Copies of files towards another file system.
#pragma once

#include <filesystem>
#include <functional>

namespace tapedeck::local {

/// The hidden name beside `to` under which a copy of `from` is made; the same for the same two, so that what a crash
/// left is used again.
std::filesystem::path hidden_name(const std::filesystem::path& from, const std::filesystem::path& to);

/// Copies bytes, rights and times, and syncs the copy; what lay at `to` is overwritten. Throws Error, TD_CANCELLED
/// when `cancelled()` says so between two pieces of 8 MB.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to,
               const std::function<bool()>& cancelled);

/// Whether two files of one size have the same bytes. Throws Error where one cannot be read.
bool has_equal_contents(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace tapedeck::local
