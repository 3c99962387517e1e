// A walk over the bytes of several spans as if they were one.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Borrows the spans. Not thread-safe.
class SpanReader {
public:
    SpanReader(const td_bytes* spans, std::size_t count);

    /// Bytes that are left.
    std::size_t size() const { return size_; }
    /// Fills `vectors` with what comes next, `most` bytes at most; how many of them. Takes nothing.
    std::size_t look(std::span<iovec> vectors, std::size_t most) const;
    /// Copies the next bytes, at most those that are left.
    void take(std::uint8_t* into, std::size_t bytes);
    void skip(std::size_t bytes);

private:
    std::span<const td_bytes> spans_;
    std::size_t offset_ = 0;  ///< in the first of them
    std::size_t size_ = 0;
};

}  // namespace tapedeck::host
