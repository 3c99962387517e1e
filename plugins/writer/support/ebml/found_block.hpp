// Blocks and SimpleBlocks as they stand in a file (RFC 9559 section 10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "elements.hpp"
#include "source.hpp"

namespace tapedeck::ebml {

/// Bytes that hold all headers around one payload, on one side of it.
inline constexpr std::size_t element_look = 64;

/// The beginning of the content of a Block or SimpleBlock (RFC 9559 section 10.1).
struct BlockHead {
    std::uint64_t track = 0;
    std::int64_t time = 0;  ///< from the cluster's on
    std::uint8_t flags = 0;
    std::size_t size = 0;
};

/// One block and where its element and its payload lie in the file.
struct FoundBlock {
    BlockHead head;
    bool key = false;
    std::uint64_t payload = 0, payload_end = 0, end = 0;
    std::uint64_t duration = 0;
};

/// The block whose element begins at `at` and ends, whole, at `limit` or before. Reads no payload. Throws what the
/// source throws.
std::optional<FoundBlock> read_block(Window& window, std::uint64_t at, std::uint64_t limit);

}  // namespace tapedeck::ebml
