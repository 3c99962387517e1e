#include "libav.hpp"

#include <array>

#include "tapedeck/late_library.hpp"

namespace tapedeck::webm_lavf {
namespace {

LibAv load() {
    const LateLibrary library("libavformat.so." + std::to_string(LIBAVFORMAT_VERSION_MAJOR));
    LibAv all{};
#define TD_BIND(function) library.bind(#function, all.function)
    TD_BIND(avformat_alloc_context);
    TD_BIND(avformat_alloc_output_context2);
    TD_BIND(avformat_new_stream);
    TD_BIND(avformat_write_header);
    TD_BIND(av_write_frame);
    TD_BIND(av_write_trailer);
    TD_BIND(avformat_free_context);
    TD_BIND(avformat_open_input);
    TD_BIND(avformat_close_input);
    TD_BIND(av_read_frame);
    TD_BIND(avio_alloc_context);
    TD_BIND(avio_context_free);
    TD_BIND(avio_flush);
    TD_BIND(avio_write);
    TD_BIND(avcodec_parameters_copy);
    TD_BIND(av_packet_alloc);
    TD_BIND(av_packet_free);
    TD_BIND(av_packet_unref);
    TD_BIND(av_packet_rescale_ts);
    TD_BIND(av_channel_layout_default);
    TD_BIND(av_dict_set);
    TD_BIND(av_dict_free);
    TD_BIND(av_mallocz);
    TD_BIND(av_free);
    TD_BIND(av_strerror);
    TD_BIND(av_log_set_level);
#undef TD_BIND
    all.av_log_set_level(AV_LOG_QUIET);  // what matters comes as an error; nothing here writes to the console
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

}  // namespace tapedeck::webm_lavf
