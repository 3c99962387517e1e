#include "encoder.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "outlet.hpp"

namespace tapedeck::audio {

namespace {

/// Options of avcodec_open2, freed with it.
class Options {
public:
    Options() = default;
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;
    ~Options() { libav().av_dict_free(&all_); }
    void set(const char* name, const std::string& value) { libav().av_dict_set(&all_, name, value.c_str(), 0); }
    AVDictionary** get() { return &all_; }

private:
    AVDictionary* all_ = nullptr;
};

constexpr std::array stereo_rates{112'000, 40'000, 52'000, 67'000, 86'000, 112'000};  // bit/s of R48's modes
// Measured for the native encoder to come out at these rates; see README.md.
constexpr std::array native_quality{0., 0.3, 0.4, 0.53, 0.7, 1.0};

/// The native encoder with its fast coder: it needs less than half of the default coder's time, and at these settings
/// is no worse (README.md has the figures). Intensity stereo, noise substitution and temporal noise shaping cost
/// accuracy and time there.
void set_native_aac(const Format& wanted, AVCodecContext& context, Options& options) {
    options.set("aac_coder", "fast");
    options.set("aac_is", "0");
    options.set("aac_pns", "0");
    options.set("aac_tns", "0");
    const auto mode = static_cast<std::size_t>(wanted.bitrate_mode);
    if (mode == 0) {
        context.bit_rate = stereo_rates[0] * wanted.channels / 2;
    } else {
        context.flags |= AV_CODEC_FLAG_QSCALE;
        context.global_quality = static_cast<int>(native_quality[mode] * FF_QP2LAMBDA);
    }
}

void set_fdk_aac(const Format& wanted, AVCodecContext& context, Options& options) {
    if (wanted.bitrate_mode == 0)
        context.bit_rate = stereo_rates[0] * wanted.channels / 2;
    else
        options.set("vbr", std::to_string(wanted.bitrate_mode));
}

void set_opus(const Format& wanted, AVCodecContext& context, Options& options) {
    context.bit_rate = wanted.channels == 1 ? 64'000 : 96'000;
    options.set("compression_level", "5");  // two thirds of the time of 10
}

const AVCodec* find(std::uint32_t codec) {
    if (codec == TD_CODEC_OPUS) return libav().avcodec_find_encoder_by_name("libopus");
    const AVCodec* fdk = libav().avcodec_find_encoder_by_name("libfdk_aac");
    return fdk != nullptr ? fdk : libav().avcodec_find_encoder(AV_CODEC_ID_AAC);
}

AVSampleFormat best_format(const AVCodec& codec) {
    for (const AVSampleFormat* each = codec.sample_fmts; each != nullptr && *each != AV_SAMPLE_FMT_NONE; ++each)
        if (*each == AV_SAMPLE_FMT_FLTP || *each == AV_SAMPLE_FMT_FLT) return *each;
    return codec.sample_fmts == nullptr ? AV_SAMPLE_FMT_FLTP : codec.sample_fmts[0];
}

constexpr int settling_frames = 8;  // after which the encoder's and the decoder's memory hold nothing but silence
constexpr std::int64_t longest_fill = 60;  // seconds

}  // namespace

Encoder::Encoder(const Format& wanted) {
    const AVCodec* codec = find(wanted.codec);
    if (codec == nullptr)
        throw Error(TD_UNSUPPORTED, wanted.codec == TD_CODEC_OPUS ? "libavcodec is built without libopus"
                                                                  : "libavcodec is built without an AAC encoder");
    context_ = owned(libav().avcodec_alloc_context3(codec));
    frame_ = owned(libav().av_frame_alloc());
    packet_ = owned(libav().av_packet_alloc());
    context_->thread_count = 1;
    context_->sample_rate = wanted.sample_rate;
    context_->time_base = {1, wanted.sample_rate};
    context_->sample_fmt = best_format(*codec);
    context_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    libav().av_channel_layout_default(&context_->ch_layout, wanted.channels);
    Options options;
    if (wanted.codec == TD_CODEC_OPUS)
        set_opus(wanted, *context_, options);
    else if (std::string(codec->name) == "libfdk_aac")
        set_fdk_aac(wanted, *context_, options);
    else
        set_native_aac(wanted, *context_, options);
    const int result = libav().avcodec_open2(context_.get(), codec, options.get());
    if (result < 0 || context_->frame_size <= 0)
        throw Error(TD_UNSUPPORTED, std::string(codec->name) + " encoder: " + std::to_string(wanted.channels) +
                                        " channels at " + std::to_string(wanted.sample_rate) +
                                        " Hz: " + libav_error(result));
    frame_->nb_samples = context_->frame_size;
    frame_->format = context_->sample_fmt;
    frame_->sample_rate = context_->sample_rate;
    libav().av_channel_layout_copy(&frame_->ch_layout, &context_->ch_layout);
    if (libav().av_frame_get_buffer(frame_.get(), 0) < 0) throw std::bad_alloc();
}

ByteSpan Encoder::config() const {
    return {context_->extradata, static_cast<std::size_t>(std::max(context_->extradata_size, 0))};
}

void Encoder::start(std::int64_t at, Outlet& out) {
    position_ = at;
    next_pts_ = at - padding();
    out_ = &out;
}

Encoder::Room Encoder::room() {
    const bool planar = libav().av_sample_fmt_is_planar(format()) != 0;
    const int channels = layout().nb_channels;
    const int step = libav().av_get_bytes_per_sample(format()) * (planar ? 1 : channels);
    Room room;
    for (int i = 0; i < (planar ? channels : 1); ++i)
        room.planes.at(static_cast<std::size_t>(i)) = frame_->extended_data[i] + filled_ * step;
    room.samples = frame() - filled_;
    return room;
}

void Encoder::filled(int samples) {
    filled_ += samples;
    position_ += samples;
    if (filled_ < frame()) return;
    filled_ = 0;
    frame_->pts = position_ - frame();
    silence_what_is_no_number();
    encode(frame_.get());
    if (libav().av_frame_make_writable(frame_.get()) < 0) throw std::bad_alloc();
}

/// Decoders make such samples of damaged packets, and encoders refuse them.
void Encoder::silence_what_is_no_number() {
    const bool planar = format() == AV_SAMPLE_FMT_FLTP;
    if (!planar && format() != AV_SAMPLE_FMT_FLT) return;
    constexpr float loudest = 16;  // far beyond full scale
    const int channels = layout().nb_channels;
    for (int plane = 0; plane < (planar ? channels : 1); ++plane) {
        auto* samples = reinterpret_cast<float*>(frame_->extended_data[plane]);
        const int count = planar ? frame() : frame() * channels;
        std::replace_if(
            samples, samples + count, [](float one) { return !(std::abs(one) <= loudest); }, 0.0f);
    }
}

void Encoder::silence(std::int64_t samples) {
    const auto put = [this](std::int64_t count) {
        while (count > 0) {
            const int part = static_cast<int>(std::min<std::int64_t>(count, room().samples));
            libav().av_samples_set_silence(frame_->extended_data, filled_, part, layout().nb_channels, format());
            filled(part);
            count -= part;
        }
    };
    if (samples < sample_rate()) return put(samples);
    const std::int64_t settling = room().samples + std::int64_t{settling_frames} * frame();
    put(settling);
    const std::int64_t copies = (samples - settling) / frame();
    if (copies * frame() <= longest_fill * sample_rate()) {
        for (std::int64_t i = 0; i < copies; ++i) out_->repeat(next_pts_ + i * frame());
    } else {
        out_->interrupt();
    }
    next_pts_ += copies * frame();
    position_ += copies * frame();
    put(samples - settling - copies * frame());
}

void Encoder::finish() {
    if (filled_ > 0) {
        const int rest = room().samples;
        libav().av_samples_set_silence(frame_->extended_data, filled_, rest, layout().nb_channels, format());
        filled(rest);
    }
    encode(nullptr);
}

void Encoder::encode(const AVFrame* frame) {
    int result = libav().avcodec_send_frame(context_.get(), frame);
    while (result >= 0 && (result = libav().avcodec_receive_packet(context_.get(), packet_.get())) >= 0) {
        out_->add({packet_->data, static_cast<std::size_t>(packet_->size)}, next_pts_);
        next_pts_ += context_->frame_size;
        libav().av_packet_unref(packet_.get());
    }
    if (result < 0 && result != AVERROR(EAGAIN) && result != AVERROR_EOF)
        throw Error(TD_FAILED, std::string(name()) + " encoder: " + libav_error(result));
}

}  // namespace tapedeck::audio
