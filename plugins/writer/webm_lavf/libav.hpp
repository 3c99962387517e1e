// What is used of libavformat. It and the hundred libraries behind it take 20 MB and are loaded with the first file.
#pragma once

#include <string>

extern "C" {
#include <libavformat/avformat.h>
}

namespace tapedeck::webm_lavf {

/// The functions by their own names.
struct LibAv {
#define TD_LIBAV(function) decltype(&::function) function
    TD_LIBAV(avformat_alloc_context);
    TD_LIBAV(avformat_alloc_output_context2);
    TD_LIBAV(avformat_new_stream);
    TD_LIBAV(avformat_write_header);
    TD_LIBAV(av_write_frame);
    TD_LIBAV(av_write_trailer);
    TD_LIBAV(avformat_free_context);
    TD_LIBAV(avformat_open_input);
    TD_LIBAV(avformat_close_input);
    TD_LIBAV(av_read_frame);
    TD_LIBAV(avio_alloc_context);
    TD_LIBAV(avio_context_free);
    TD_LIBAV(avio_flush);
    TD_LIBAV(avio_write);
    TD_LIBAV(avcodec_parameters_copy);
    TD_LIBAV(av_packet_alloc);
    TD_LIBAV(av_packet_free);
    TD_LIBAV(av_packet_unref);
    TD_LIBAV(av_packet_rescale_ts);
    TD_LIBAV(av_channel_layout_default);
    TD_LIBAV(av_dict_set);
    TD_LIBAV(av_dict_free);
    TD_LIBAV(av_mallocz);
    TD_LIBAV(av_free);
    TD_LIBAV(av_strerror);
    TD_LIBAV(av_log_set_level);
#undef TD_LIBAV
};

/// Loads it at the first call, for good. Throws Error (TD_UNSUPPORTED) when this version of it is not installed; the
/// next call tries again. Thread-safe.
const LibAv& libav();

/// libav's words for one of its error numbers.
std::string message_of(int error);

}  // namespace tapedeck::webm_lavf
