// Finds everything whole in a file that was torn anywhere: while recording, or by power loss.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tapedeck::ts {

/// The bytes of a file. Reads may throw; the scanner lets that through.
class Source {
public:
    virtual ~Source() = default;
    virtual std::uint64_t size() const = 0;
    /// Fewer bytes than asked for only at the end.
    virtual std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const = 0;
};

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
