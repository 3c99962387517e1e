// What the targets of scanners share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "source.hpp"

namespace tapedeck::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

/// The bytes of a file.
class MemorySource : public Source {
public:
    MemorySource(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    std::uint64_t size() const override { return size_; }
    std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const override {
        if (at >= size_) return 0;
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - at));
        if (count != 0) std::memcpy(into.data(), data_ + at, count);
        return count;
    }

private:
    const std::uint8_t* data_;
    std::size_t size_;
};

}  // namespace tapedeck::fuzz
