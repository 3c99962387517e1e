// Torn Matroska files: whatever the bytes are, the scan stays inside them, and what it finds can be finished.
#include <cstddef>
#include <cstdint>

#include "memory_source.hpp"
#include "scanner.hpp"

namespace {

using namespace tapedeck::ebml;
using tapedeck::fuzz::MemorySource;
using tapedeck::fuzz::require;

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
