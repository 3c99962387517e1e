// JSON bodies of REST requests: every parser takes any bytes and either gives a value or throws Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/bodies.hpp"

using namespace tapedeck::host;

namespace {

template <class Parse>
void attempt(Parse parse, std::string_view body) {
    try {
        parse(body);
    } catch (const Error& failure) {
        if (failure.status() != TD_MALFORMED) __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    attempt(api::parse_start, body);
    attempt(api::parse_media_session, body);
    attempt([](std::string_view text) { (void)api::parse_filter(text).fits(api::StreamObject{}); }, body);
    attempt(
        [](std::string_view text) {
            if (api::parse_termination(text).is_open()) __builtin_trap();  // would end every stream
        },
        body);
    return 0;
}
