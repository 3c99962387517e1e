// Finds everything whole in a file that was torn anywhere: while recording, by power loss, or half finished.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "index.hpp"
#include "layout.hpp"

namespace tapedeck::ebml {

/// The bytes of a file. Reads may throw; the scanner lets that through.
class Source {
public:
    virtual ~Source() = default;
    virtual std::uint64_t size() const = 0;
    /// Fewer bytes than asked for only at the end.
    virtual std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const = 0;
};

/// What a recording needs to be finished.
struct Found {
    Layout layout;
    Index index;
    std::string memo;
    std::uint64_t packets = 0;  ///< all of the last two clusters, one of each before them
};

/// Reads the head, the first block of each cluster, and the last two clusters, which may hold disk blocks that were
/// never written. Nothing when the file was not begun by this writer or is torn before its first block. The same file
/// gives the same answer before, during and after it was finished.
std::optional<Found> scan(const Source& source);

}  // namespace tapedeck::ebml
