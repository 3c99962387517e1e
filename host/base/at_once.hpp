// Files looked at and opened by threads that must not wait for a disk.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>

namespace tapedeck::host {

/// Whether a file's system is of this machine, so that what is in memory of it is had without asking anybody else, such
/// as a network. Remembered for the two below. May wait.
bool is_local(int descriptor);
bool is_local(const std::filesystem::path& file);

/// A file's device, inode, mode, size and time of modification, where all of its path is in memory and its file system
/// is known to be local. Nothing: there may be one or none; ask where waiting is allowed.
std::optional<struct stat> stat_at_once(const std::filesystem::path& file);

/// Opens a regular file for reading under the same conditions. -1: as above.
int open_at_once(const std::filesystem::path& file);

}  // namespace tapedeck::host
