// Lines of the list of parts: what is understood is written the same way again.
#include "store/cut_list.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tapedeck::host;
    const auto found = parse_cut({reinterpret_cast<const char*>(data), size});
    if (!found) return 0;
    const auto again = parse_cut(format_cut(found->asked, found->cut));
    if (!again || again->asked != found->asked || again->cut != found->cut) std::abort();
    return 0;
}
