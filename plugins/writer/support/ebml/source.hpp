// The bytes of a file, read in small parts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "elements.hpp"

namespace tapedeck::ebml {

/// The bytes of a file. Reads may throw; the scanner lets that through.
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
    View at(std::uint64_t position, std::size_t count, std::uint64_t end = UINT64_MAX) {
        if (position >= end) return {};
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end - position));
        if (position < start_ || position + count > start_ + bytes_.size()) {
            start_ = position;
            bytes_.resize(std::max<std::size_t>(count, 2048));
            bytes_.resize(source_.read(position, bytes_));
        }
        const View rest = View(bytes_).subspan(static_cast<std::size_t>(position - start_));
        return rest.first(std::min(count, rest.size()));
    }

private:
    const Source& source_;
    std::uint64_t start_ = 0;
    Bytes bytes_;
};

}  // namespace tapedeck::ebml
