// Finds everything whole in a file that was torn anywhere: while recording, or by power loss.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "source.hpp"

namespace tapedeck::ts {

struct Found {
    std::string memo;
    std::uint64_t packets = 0;  ///< access units and audio frames
    std::int64_t end_us = 0;    ///< when the last of them ends, from the file's time 0
    std::uint64_t size = 0;     ///< where the last whole PES packet or section ends
};

/// Reads the head of the file and its last seconds: older bytes were synced, while among those may be blocks that never
/// reached the disk. The cost does not grow with the file. Nothing when the file was not
/// begun by this writer or is torn in its head.
std::optional<Found> scan(const Source& source);

}  // namespace tapedeck::ts
