// Sound made for the tests, and libavcodec as the program that is trusted to encode and decode it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "libav.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::audio {

/// One channel of samples from -1 to 1.
struct Sound {
    int rate = 48000;
    std::int64_t start = 0;  ///< where the first sample lies, in samples
    std::vector<float> samples;

    static Sound silent(int rate, double seconds) {
        return {rate, 0, std::vector<float>(static_cast<std::size_t>(std::lround(rate * seconds)))};
    }
    static Sound tone(int rate, double seconds, double hertz = 440, double amplitude = 0.3) {
        Sound sound = silent(rate, seconds);
        for (std::size_t i = 0; i < sound.samples.size(); ++i)
            sound.samples[i] =
                static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
        return sound;
    }
    /// Adds a burst of 1 kHz, 8 ms long, around `seconds`.
    Sound& click(double seconds) {
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double at = static_cast<double>(i) / rate - seconds;
            if (std::abs(at) > 0.004) continue;
            const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * at / 0.004);
            samples[i] += static_cast<float>(0.7 * window * std::cos(2 * std::numbers::pi * 1000 * at));
        }
        return *this;
    }
    double seconds() const { return static_cast<double>(samples.size()) / rate; }

    std::int64_t index_of(double second) const { return std::llround(second * rate) - start; }
    /// The root mean square between two times; what lies outside counts as silence.
    double level(double from, double to) const {
        double sum = 0;
        const auto begin = index_of(from), end = index_of(to);
        for (auto i = std::max<std::int64_t>(begin, 0); i < std::min<std::int64_t>(end, std::ssize(samples)); ++i)
            sum += std::pow(samples[static_cast<std::size_t>(i)], 2);
        return std::sqrt(sum / static_cast<double>(end - begin));
    }
    /// The middle of the energy within 40 ms of `seconds`: where the click is.
    double click_near(double seconds) const {
        double energy = 0, moment = 0;
        for (auto i = std::max<std::int64_t>(index_of(seconds - 0.04), 0);
             i < std::min<std::int64_t>(index_of(seconds + 0.04), std::ssize(samples)); ++i) {
            const double e = std::pow(samples[static_cast<std::size_t>(i)], 4);  // the loudest counts
            energy += e;
            moment += e * static_cast<double>(i + start) / rate;
        }
        return energy < 1e-6 ? -1 : moment / energy;
    }
};

struct Unit {
    std::int64_t pts;  ///< in the track's time base
    std::vector<std::uint8_t> payload;
};

struct Encoded {
    Track track{TD_AUDIO, 0, {1, 1}};
    std::vector<Unit> units;
};

/// One sample in any of libavcodec's formats that the tests meet.
inline void put_sample(std::uint8_t* at, AVSampleFormat format, float value) {
    if (format == AV_SAMPLE_FMT_S16 || format == AV_SAMPLE_FMT_S16P) {
        const auto whole = static_cast<std::int16_t>(std::lround(value * 32767));
        std::memcpy(at, &whole, sizeof whole);
    } else if (format == AV_SAMPLE_FMT_S32P) {
        const auto whole = static_cast<std::int32_t>(std::lround(value * 2147483000.));
        std::memcpy(at, &whole, sizeof whole);
    } else {
        std::memcpy(at, &value, sizeof value);
    }
}
inline float get_sample(const std::uint8_t* at, AVSampleFormat format) {
    float value = 0;
    if (format == AV_SAMPLE_FMT_S16 || format == AV_SAMPLE_FMT_S16P) {
        std::int16_t whole = 0;
        std::memcpy(&whole, at, sizeof whole);
        value = static_cast<float>(whole) / 32768;
    } else {
        std::memcpy(&value, at, sizeof value);
    }
    return value;
}

inline AVSampleFormat frame_format(const AVFrame& frame) {
    return static_cast<AVSampleFormat>(frame.format);
}

inline void need(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

/// By libavcodec's encoder of that name; times as libavcodec gives them, with the priming before 0. G722 counts in
/// 1/8000 s.
inline Encoded encode(const char* encoder, std::uint32_t codec, const Sound& sound, int channels = 1,
                      std::int64_t bit_rate = 0) {
    const LibAv& av = libav();
    const AVCodec* by = av.avcodec_find_encoder_by_name(encoder);
    need(by != nullptr, encoder);
    const auto context = owned(av.avcodec_alloc_context3(by));
    context->sample_rate = sound.rate;
    context->time_base = {1, sound.rate};
    context->sample_fmt = by->sample_fmts[0];
    if (bit_rate != 0) context->bit_rate = bit_rate;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av.av_channel_layout_default(&context->ch_layout, channels);
    need(av.avcodec_open2(context.get(), by, nullptr) >= 0, "avcodec_open2");
    const int size = context->frame_size > 0 && codec != TD_CODEC_G722 ? context->frame_size : sound.rate / 50;

    Encoded result;
    const std::int64_t divisor = codec == TD_CODEC_G722 ? 2 : 1;
    result.track = Track(TD_AUDIO, codec, {1, static_cast<std::int32_t>(sound.rate / divisor)}, 1);
    result.track.track.sample_rate = static_cast<std::uint32_t>(sound.rate);
    result.track.track.channels = static_cast<std::uint32_t>(channels);
    if (context->extradata_size > 0)
        result.track.config({context->extradata, static_cast<std::size_t>(context->extradata_size)});

    const auto packet = owned(av.av_packet_alloc());
    const auto receive = [&] {
        while (av.avcodec_receive_packet(context.get(), packet.get()) >= 0) {
            result.units.push_back({packet->pts / divisor, {packet->data, packet->data + packet->size}});
            av.av_packet_unref(packet.get());
        }
    };
    for (std::size_t at = 0; at < sound.samples.size(); at += static_cast<std::size_t>(size)) {
        const auto frame = owned(av.av_frame_alloc());
        frame->nb_samples = size;
        frame->format = context->sample_fmt;
        frame->sample_rate = sound.rate;
        frame->pts = static_cast<std::int64_t>(at);
        av.av_channel_layout_copy(&frame->ch_layout, &context->ch_layout);
        need(av.av_frame_get_buffer(frame.get(), 0) >= 0, "av_frame_get_buffer");
        const bool planar = av.av_sample_fmt_is_planar(context->sample_fmt) != 0;
        for (int i = 0; i < size; ++i)
            for (int c = 0; c < channels; ++c) {
                const std::size_t index = at + static_cast<std::size_t>(i);
                const float value = index < sound.samples.size() ? sound.samples[index] : 0;
                const int place = planar ? i : i * channels + c;
                put_sample(
                    frame->extended_data[planar ? c : 0] + place * av.av_get_bytes_per_sample(frame_format(*frame)),
                    frame_format(*frame), value);
            }
        need(av.avcodec_send_frame(context.get(), frame.get()) >= 0, "avcodec_send_frame");
        receive();
    }
    av.avcodec_send_frame(context.get(), nullptr);
    receive();
    return result;
}

inline AVCodecID id_of(std::uint32_t codec) {
    switch (codec) {
        case TD_CODEC_AAC:
            return AV_CODEC_ID_AAC;
        case TD_CODEC_OPUS:
            return AV_CODEC_ID_OPUS;
        case TD_CODEC_SPEEX:
            return AV_CODEC_ID_SPEEX;
        default:
            return AV_CODEC_ID_NONE;
    }
}

/// The first channel of what libavcodec makes of it. Each packet's sound lies at its time, which counts samples; what a
/// decoder leaves out at the start by itself (Opus' pre-skip) is missing in front.
inline Sound decode(const td_track& track, const std::vector<std::uint8_t>& config, const std::vector<Unit>& units) {
    const LibAv& av = libav();
    const auto context = owned(av.avcodec_alloc_context3(av.avcodec_find_decoder(id_of(track.codec))));
    context->extradata = static_cast<std::uint8_t*>(av.av_mallocz(config.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    std::memcpy(context->extradata, config.data(), config.size());
    context->extradata_size = static_cast<int>(config.size());
    need(av.avcodec_open2(context.get(), nullptr, nullptr) >= 0, "avcodec_open2");
    const int left_out = track.codec == TD_CODEC_OPUS ? context->delay : 0;
    const auto packet = owned(av.av_packet_alloc());
    const auto frame = owned(av.av_frame_alloc());
    Sound sound{static_cast<int>(track.sample_rate), units.empty() ? 0 : units.front().pts + left_out, {}};
    for (const Unit& unit : units) {
        std::vector<std::uint8_t> padded(unit.payload);
        padded.resize(padded.size() + AV_INPUT_BUFFER_PADDING_SIZE);
        packet->data = padded.data();
        packet->size = static_cast<int>(unit.payload.size());
        need(av.avcodec_send_packet(context.get(), packet.get()) >= 0, "the output cannot be decoded");
        sound.samples.resize(static_cast<std::size_t>(std::max<std::int64_t>(unit.pts - sound.start, 0)));
        while (av.avcodec_receive_frame(context.get(), frame.get()) >= 0) {
            need(frame->sample_rate == sound.rate, "the decoder's rate is another");
            const bool planar = av.av_sample_fmt_is_planar(frame_format(*frame)) != 0;
            const int step =
                av.av_get_bytes_per_sample(frame_format(*frame)) * (planar ? 1 : frame->ch_layout.nb_channels);
            for (int i = 0; i < frame->nb_samples; ++i)
                sound.samples.push_back(get_sample(frame->extended_data[0] + i * step, frame_format(*frame)));
        }
    }
    packet->data = nullptr;
    packet->size = 0;
    return sound;
}

}  // namespace tapedeck::audio
