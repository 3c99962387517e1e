// Torn Matroska files: whatever the bytes are, the scan stays inside them, and what it finds can be finished.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "scanner.hpp"

namespace {

using namespace tapedeck::ebml;

void require(bool holds) {
    if (!holds) std::abort();
}

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto found = scan(MemorySource(data, size));
    if (!found) return 0;
    const Layout& layout = found->layout;
    require(found->packets > 0);
    require(layout.cues_at() <= layout.data_at);
    require(layout.data_at % Layout::block == 0);
    require(layout.data_size > 0 && layout.end() <= size);
    if (layout.torn_at) require(layout.data_at + *layout.torn_at + 8 + layout.torn_size == layout.end());
    require(found->memo.size() < size);
    const auto cues = found->index.cues(layout.data_at - layout.segment_at, (size & 1) != 0);
    require(cues.size() < 16 * size);
    return 0;
}
