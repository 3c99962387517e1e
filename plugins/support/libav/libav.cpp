#include "libav.hpp"

#include <array>

#include "tapedeck/late_library.hpp"

namespace tapedeck {
namespace {

LateLibrary versioned(const char* name, int major) {
    return LateLibrary(std::string(name) + ".so." + std::to_string(major));
}

#define TD_BIND(function) library.bind(#function, all.function)

LibAv load_codec() {
    const auto library = versioned("libavcodec", LIBAVCODEC_VERSION_MAJOR);  // needs libavutil
    LibAv all{};
    TD_LIBAV(TD_BIND);
    all.av_log_set_level(AV_LOG_QUIET);  // what matters comes as an error; nothing here writes to the console
    return all;
}

LibAvFormat load_format() {
    libav();
    const auto library = versioned("libavformat", LIBAVFORMAT_VERSION_MAJOR);
    LibAvFormat all{};
    TD_LIBAVFORMAT(TD_BIND);
    return all;
}

LibSwResample load_resample() {
    const auto library = versioned("libswresample", LIBSWRESAMPLE_VERSION_MAJOR);
    LibSwResample all{};
    TD_LIBSWRESAMPLE(TD_BIND);
    return all;
}

#undef TD_BIND

}  // namespace

const LibAv& libav() {
    static const LibAv only = load_codec();
    return only;
}

const LibAvFormat& libavformat() {
    static const LibAvFormat only = load_format();
    return only;
}

const LibSwResample& libswresample() {
    static const LibSwResample only = load_resample();
    return only;
}

std::string libav_error(int error) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    libav().av_strerror(error, text.data(), text.size());
    return text.data();
}

}  // namespace tapedeck
