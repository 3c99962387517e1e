// What a camera answers to ONVIF's questions: every parser takes any bytes and either gives a value or throws Error.
#include <cstdint>
#include <string_view>

#include "rtsp/onvif.hpp"
#include "tapedeck/context.hpp"

using namespace tapedeck;
using namespace tapedeck::rtsp;

namespace {

template <class Parse>
void attempt(Parse parse) {
    try {
        parse();
    } catch (const Error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view xml(reinterpret_cast<const char*>(data), size);
    attempt([&] {
        constexpr std::int64_t year_10000 = 253'402'300'800;
        const auto time = onvif::parse_time(xml);
        if (time < 0 || time >= year_10000) __builtin_trap();
    });
    attempt([&] {
        const auto address = onvif::at_device(onvif::parse_media_address(xml), "http://camera:81/onvif/device_service");
        if (address.find("camera") == std::string::npos) __builtin_trap();
    });
    attempt([&] {
        const auto profiles = onvif::parse_profiles(xml);
        if (profiles.empty() || profiles.size() > 64) __builtin_trap();
    });
    attempt([&] { Url::parse(onvif::parse_stream(xml)); });
    return 0;
}
