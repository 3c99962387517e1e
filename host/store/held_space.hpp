// Space of deleted files that comes back by itself.
#pragma once

#include <cstdint>
#include <filesystem>

namespace tapedeck::host {

/// Bytes of the files that were deleted below `folder` and that a process still has open: downloads, readers. Other
/// users' processes are seen by root only. [blocking] Reads /proc.
std::uint64_t held_bytes(const std::filesystem::path& folder);

}  // namespace tapedeck::host
