// Torn TS files: whatever the bytes are, the scan stays inside them and says where the last whole packet ends.
#include <cstddef>
#include <cstdint>

#include "memory_source.hpp"
#include "packets.hpp"
#include "scanner.hpp"
#include "sections.hpp"

namespace {

using namespace tapedeck::ts;
using tapedeck::fuzz::MemorySource;
using tapedeck::fuzz::require;

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
