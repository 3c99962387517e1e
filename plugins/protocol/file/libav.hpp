// What is used of libavformat. It and the hundred libraries behind it take 20 MB and are loaded with the first file.
#pragma once

extern "C" {
#include <libavformat/avformat.h>
}

namespace tapedeck::file_source {

/// The functions by their own names.
struct LibAv {
#define TD_LIBAV(function) decltype(&::function) function
    TD_LIBAV(avformat_open_input);
    TD_LIBAV(avformat_find_stream_info);
    TD_LIBAV(avformat_close_input);
    TD_LIBAV(avcodec_get_name);
    TD_LIBAV(av_read_frame);
    TD_LIBAV(av_packet_alloc);
    TD_LIBAV(av_packet_unref);
    TD_LIBAV(av_packet_free);
    TD_LIBAV(av_strerror);
    TD_LIBAV(av_log_set_level);
#undef TD_LIBAV
};

/// Loads it at the first call, for good. Throws Error (TD_UNSUPPORTED) when this version of it is not installed; the
/// next call tries again. Thread-safe.
const LibAv& libav();

}  // namespace tapedeck::file_source
