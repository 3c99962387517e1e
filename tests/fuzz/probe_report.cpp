// What a probing child wrote: either one whole report, which comes out the same when it is written again, or nothing.
#include "plugin/probe_report.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tapedeck::host;
    const auto report = decode_report({reinterpret_cast<const char*>(data), size});
    if (!report) return 0;
    const auto again = decode_report(encode_report(*report));
    if (!again || again->end != report->end || again->text != report->text || again->descriptor != report->descriptor)
        std::abort();
    return 0;
}
