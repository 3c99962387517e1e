// The query of a part: refused with a reason, or times that make sense.
#include "api/part_times.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto times = tapedeck::host::api::parse_part_times({reinterpret_cast<const char*>(data), size});
        if (!times) return 0;
        require(times->from_us.value_or(0) >= 0 && times->from_us.value_or(0) < 1'000'000'000'000'000);
        require(!times->to_us || *times->to_us > times->from_us.value_or(0));
    } catch (const tapedeck::host::Error&) {  // says what is wrong
    }
    return 0;
}
