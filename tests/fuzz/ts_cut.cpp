// Transport streams of anybody: whatever the bytes are, a part stays within them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cut.hpp"
#include "memory_source.hpp"
#include "tapedeck/context.hpp"

namespace {

using namespace tapedeck::ts;
using tapedeck::fuzz::MemorySource;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const MemorySource source(data, size);
    try {
        Program program(source);
        for (const auto& [from, to] :
             {std::pair<std::int64_t, std::optional<std::int64_t>>{0, {}}, {30'000, 70'000}, {123'456, {}}}) {
            try {
                const Cut cut = plan_cut(program, from, to);
                if (cut.to > size || cut.front.size() + cut.back.size() > 3 * size) std::abort();
            } catch (const tapedeck::Error&) {  // says why it cannot be
            }
        }
    } catch (const tapedeck::Malformed&) {
    }
    return 0;
}
