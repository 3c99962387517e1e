// What is used of libavcodec and libswresample. They and what is behind them take 20 MB and are loaded with the first
// track that is encoded.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <memory>
#include <string>

namespace tapedeck::audio {

// One list for the members and for where they come from.
#define TD_LIBAVCODEC(each)             \
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
    each(av_packet_alloc);              \
    each(av_packet_unref);              \
    each(av_packet_free)
#define TD_LIBAVUTIL(each)           \
    each(av_frame_alloc);            \
    each(av_frame_free);             \
    each(av_frame_get_buffer);       \
    each(av_frame_make_writable);    \
    each(av_samples_set_silence);    \
    each(av_get_bytes_per_sample);   \
    each(av_sample_fmt_is_planar);   \
    each(av_channel_layout_default); \
    each(av_channel_layout_copy);    \
    each(av_channel_layout_compare); \
    each(av_channel_layout_uninit);  \
    each(av_dict_set);               \
    each(av_dict_free);              \
    each(av_mallocz);                \
    each(av_log_set_level);          \
    each(av_opt_set_double);         \
    each(av_strerror)
#define TD_LIBSWRESAMPLE(each)  \
    each(swr_alloc_set_opts2);  \
    each(swr_init);             \
    each(swr_convert);          \
    each(swr_get_delay);        \
    each(swr_set_compensation); \
    each(swr_set_matrix);       \
    each(swr_free)

/// The functions by their own names.
struct LibAv {
#define TD_MEMBER(function) decltype(&::function) function
    TD_LIBAVCODEC(TD_MEMBER);
    TD_LIBAVUTIL(TD_MEMBER);
    TD_LIBSWRESAMPLE(TD_MEMBER);
#undef TD_MEMBER
};

/// Loads them at the first call, which takes some 20 ms, for good; their own messages to stderr are turned off. Throws
/// Error (TD_UNSUPPORTED) when these versions of them are not installed; the next call tries again. Thread-safe.
const LibAv& libav();

/// An error number of libav in words.
std::string message_of(int error);

/// Owners of what libav allocates.
struct Freed {
    void operator()(AVCodecContext* context) const { libav().avcodec_free_context(&context); }
    void operator()(AVFrame* frame) const { libav().av_frame_free(&frame); }
    void operator()(AVPacket* packet) const { libav().av_packet_free(&packet); }
    void operator()(SwrContext* context) const { libav().swr_free(&context); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

/// Of what an allocation gave. Throws std::bad_alloc for null.
template <class T>
Owned<T> owned(T* made) {
    if (made == nullptr) throw std::bad_alloc();
    return Owned<T>(made);
}

}  // namespace tapedeck::audio
