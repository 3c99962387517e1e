// Torn TS files: whatever the bytes are, the scan stays inside them and says where the last whole packet ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "packets.hpp"
#include "scanner.hpp"
#include "sections.hpp"

namespace {

using namespace tapedeck::ts;

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
    require(found->size <= size && found->size % packet_size == 0);
    require(found->memo.size() < size);
    require(found->end_us >= 0 && found->end_us <= latest_us);
    if (found->packets == 0) return 0;
    // What is kept is a file of this writer still.
    const auto again = scan(MemorySource(data, static_cast<std::size_t>(found->size)));
    require(again && again->memo == found->memo && again->size <= found->size);
    return 0;
}
