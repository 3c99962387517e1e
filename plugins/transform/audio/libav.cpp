#include "libav.hpp"

#include <array>

#include "tapedeck/late_library.hpp"

namespace tapedeck::audio {

namespace {

std::string versioned(const char* name, int major) {
    return std::string(name) + ".so." + std::to_string(major);
}

LibAv load() {
    const LateLibrary codec(versioned("libavcodec", LIBAVCODEC_VERSION_MAJOR));
    const LateLibrary util(versioned("libavutil", LIBAVUTIL_VERSION_MAJOR));
    const LateLibrary resample(versioned("libswresample", LIBSWRESAMPLE_VERSION_MAJOR));
    LibAv all{};
#define TD_BIND_CODEC(function) codec.bind(#function, all.function)
#define TD_BIND_UTIL(function) util.bind(#function, all.function)
#define TD_BIND_RESAMPLE(function) resample.bind(#function, all.function)
    TD_LIBAVCODEC(TD_BIND_CODEC);
    TD_LIBAVUTIL(TD_BIND_UTIL);
    TD_LIBSWRESAMPLE(TD_BIND_RESAMPLE);
#undef TD_BIND_CODEC
#undef TD_BIND_UTIL
#undef TD_BIND_RESAMPLE
    all.av_log_set_level(AV_LOG_QUIET);
    return all;
}

}  // namespace

const LibAv& libav() {
    static const LibAv only = load();
    return only;
}

std::string message_of(int error) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    libav().av_strerror(error, text.data(), text.size());
    return text.data();
}

}  // namespace tapedeck::audio
