// What the plugins use of FFmpeg's libraries. They and the hundred libraries behind them take 20 MB and 20 ms, and are
// loaded when they are first used.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <memory>
#include <new>
#include <string>

namespace tapedeck {

// One list for the members and for where they come from.
#define TD_LIBAV(each)                  \
    each(avcodec_find_decoder);         \
    each(avcodec_find_encoder);         \
    each(avcodec_find_encoder_by_name); \
    each(avcodec_alloc_context3);       \
    each(avcodec_free_context);         \
    each(avcodec_open2);                \
    each(avcodec_send_packet);          \
    each(avcodec_receive_frame);        \
    each(avcodec_send_frame);           \
    each(avcodec_receive_packet);       \
    each(avcodec_flush_buffers);        \
    each(avcodec_get_name);             \
    each(avcodec_parameters_copy);      \
    each(av_packet_alloc);              \
    each(av_packet_unref);              \
    each(av_packet_free);               \
    each(av_packet_rescale_ts);         \
    each(av_frame_alloc);               \
    each(av_frame_free);                \
    each(av_frame_get_buffer);          \
    each(av_frame_make_writable);       \
    each(av_samples_set_silence);       \
    each(av_get_bytes_per_sample);      \
    each(av_sample_fmt_is_planar);      \
    each(av_channel_layout_default);    \
    each(av_channel_layout_copy);       \
    each(av_channel_layout_compare);    \
    each(av_channel_layout_uninit);     \
    each(av_dict_set);                  \
    each(av_dict_free);                 \
    each(av_mallocz);                   \
    each(av_free);                      \
    each(av_opt_set_double);            \
    each(av_log_set_level);             \
    each(av_strerror)
#define TD_LIBAVFORMAT(each)              \
    each(avformat_alloc_context);         \
    each(avformat_alloc_output_context2); \
    each(avformat_free_context);          \
    each(avformat_new_stream);            \
    each(avformat_write_header);          \
    each(avformat_open_input);            \
    each(avformat_find_stream_info);      \
    each(avformat_close_input);           \
    each(av_read_frame);                  \
    each(av_write_frame);                 \
    each(av_write_trailer);               \
    each(avio_alloc_context);             \
    each(avio_context_free);              \
    each(avio_flush);                     \
    each(avio_seek);                      \
    each(avio_write)
#define TD_LIBSWRESAMPLE(each)  \
    each(swr_alloc_set_opts2);  \
    each(swr_init);             \
    each(swr_convert);          \
    each(swr_get_delay);        \
    each(swr_set_compensation); \
    each(swr_set_matrix);       \
    each(swr_free)

/// The functions of a library by their own names.
#define TD_MEMBER(function) decltype(&::function) function
struct LibAv {
    TD_LIBAV(TD_MEMBER);
};
struct LibAvFormat {
    TD_LIBAVFORMAT(TD_MEMBER);
};
struct LibSwResample {
    TD_LIBSWRESAMPLE(TD_MEMBER);
};
#undef TD_MEMBER

/// libavcodec and libavutil; libavformat; libswresample. Each is loaded at the first call, for good; its own messages
/// to stderr are turned off. Throws Error (TD_UNSUPPORTED) when this version of it is not installed; the next call
/// tries again. Thread-safe.
const LibAv& libav();
const LibAvFormat& libavformat();
const LibSwResample& libswresample();

/// libav's words for one of its error numbers.
std::string libav_error(int error);

/// Owners of what libav allocates.
struct Freed {
    void operator()(AVCodecContext* context) const { libav().avcodec_free_context(&context); }
    void operator()(AVFrame* frame) const { libav().av_frame_free(&frame); }
    void operator()(AVPacket* packet) const { libav().av_packet_free(&packet); }
    void operator()(SwrContext* context) const { libswresample().swr_free(&context); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

/// Of what an allocation gave. Throws std::bad_alloc for null.
template <class T>
Owned<T> owned(T* made) {
    if (made == nullptr) throw std::bad_alloc();
    return Owned<T>(made);
}

}  // namespace tapedeck
