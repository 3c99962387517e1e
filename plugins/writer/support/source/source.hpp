// The bytes of a file, for scanners and readers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck {

/// Reads may throw; who reads lets that through.
class Source {
public:
    virtual ~Source() = default;
    virtual std::uint64_t size() const = 0;
    /// Fewer bytes than asked for only at the end.
    virtual std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const = 0;
};

/// Reads small parts in order with few calls.
class Window {
public:
    explicit Window(const Source& source) : source_(source) {}

    /// `count` bytes, or fewer at `end` and at the end of the file. Valid until the next call.
    ByteSpan at(std::uint64_t position, std::size_t count, std::uint64_t end = UINT64_MAX) {
        if (position >= end) return {};
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end - position));
        if (position < start_ || position + count > start_ + bytes_.size()) {
            start_ = position;
            bytes_.resize(std::max<std::size_t>(count, 2048));
            bytes_.resize(source_.read(position, bytes_));
        }
        const ByteSpan rest = ByteSpan(bytes_).subspan(static_cast<std::size_t>(position - start_));
        return rest.first(std::min(count, rest.size()));
    }

private:
    const Source& source_;
    std::uint64_t start_ = 0;
    Bytes bytes_;
};

}  // namespace tapedeck
