// Large writes that go around the system's cache (O_DIRECT), because copying into it costs more than all else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "store/descriptor.hpp"
#include "store/span_reader.hpp"

namespace tapedeck::host {

/// Of one file, whose owner writes all else, also what is not in whole blocks, through the cache. Nothing is held back:
/// what `write` reports was handed to the disk. Not thread-safe.
class DirectWrites {
public:
    /// Of a write of `size` bytes at `at`: how many go through the cache before the first whole block. All of them when
    /// the rest is too little, or the file system refused before.
    std::size_t lead(std::uint64_t at, std::size_t size) const;
    /// Writes from a block's start at `at` as many whole blocks as there are; `from` moves behind what was written.
    /// Gives the bytes: fewer, or none, when the disk is full, fails or cannot do it; the cache's way says which.
    std::size_t write(const Descriptor& file, std::uint64_t at, SpanReader& from);

private:
    bool is_refused_ = false;
    std::unique_ptr<Descriptor> opened_;  // at the first large write
};

}  // namespace tapedeck::host
