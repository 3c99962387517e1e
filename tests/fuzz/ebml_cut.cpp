// WebM and MKV files of anybody: whatever the bytes are, a part stays within them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cut.hpp"
#include "memory_source.hpp"
#include "tapedeck/context.hpp"

namespace {

using namespace tapedeck::ebml;
using tapedeck::fuzz::MemorySource;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const MemorySource source(data, size);
    try {
        const SegmentIndex index = SegmentIndex::read(source);
        for (const auto& [from, to] :
             {std::pair<std::int64_t, std::optional<std::int64_t>>{0, {}}, {300, 700}, {1234, {}}}) {
            try {
                for (const CutPiece& piece : plan_cut(index, source, from, to)) {
                    if (piece.from > size || piece.size > size - piece.from) std::abort();
                }
            } catch (const tapedeck::Error&) {  // says why it cannot be
            }
        }
    } catch (const tapedeck::Malformed&) {
    } catch (const tapedeck::Error&) {
    }
    return 0;
}
