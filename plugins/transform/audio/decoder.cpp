#include "decoder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "tapedeck/context.hpp"

namespace tapedeck::audio {

namespace {

struct Known {
    std::uint32_t codec;
    AVCodecID id;
    int sample_rate, channels;  // where the track does not say
};
constexpr std::array known{Known{TD_CODEC_AAC, AV_CODEC_ID_AAC, 0, 0},
                           Known{TD_CODEC_OPUS, AV_CODEC_ID_OPUS, 48000, 2},
                           Known{TD_CODEC_PCMA, AV_CODEC_ID_PCM_ALAW, 8000, 1},
                           Known{TD_CODEC_PCMU, AV_CODEC_ID_PCM_MULAW, 8000, 1},
                           Known{TD_CODEC_G722, AV_CODEC_ID_ADPCM_G722, 16000, 1},
                           Known{TD_CODEC_SPEEX, AV_CODEC_ID_SPEEX, 16000, 1},
                           Known{TD_CODEC_MP3, AV_CODEC_ID_MP3, 0, 0},
                           Known{TD_CODEC_MP2, AV_CODEC_ID_MP2, 0, 0},
                           Known{TD_CODEC_AC3, AV_CODEC_ID_AC3, 0, 0}};

// Beyond these a track or a packet is nonsense.
constexpr std::uint32_t highest_input_rate = 192'000, most_channels = 8;
constexpr std::size_t largest_packet = 256 * 1024, largest_config = 64 * 1024;

}  // namespace

bool is_known(std::uint32_t codec) {
    return std::ranges::count(known, codec, &Known::codec) != 0;
}

Decoder::Decoder(const td_track& track) {
    const auto* const codec_of = std::ranges::find(known, track.codec, &Known::codec);
    const AVCodec* codec = codec_of == known.end() ? nullptr : libav().avcodec_find_decoder(codec_of->id);
    if (codec == nullptr) throw Error(TD_UNSUPPORTED, "libavcodec has no decoder for this sound");
    if (track.sample_rate > highest_input_rate || track.channels > most_channels || track.config.size > largest_config)
        throw Error(TD_UNSUPPORTED, std::to_string(track.channels) + " channels at " +
                                        std::to_string(track.sample_rate) + " Hz are not decoded");
    context_ = owned(libav().avcodec_alloc_context3(codec));
    frame_ = owned(libav().av_frame_alloc());
    packet_ = owned(libav().av_packet_alloc());
    context_->thread_count = 1;
    context_->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;  // or libavcodec leaves the pre-skip out and does not say so
    context_->sample_rate = track.sample_rate != 0 ? static_cast<int>(track.sample_rate) : codec_of->sample_rate;
    const int channels = track.channels != 0 ? static_cast<int>(track.channels) : codec_of->channels;
    if (channels != 0) libav().av_channel_layout_default(&context_->ch_layout, channels);
    if (track.config.size != 0) {
        context_->extradata =
            static_cast<std::uint8_t*>(libav().av_mallocz(track.config.size + AV_INPUT_BUFFER_PADDING_SIZE));
        if (context_->extradata == nullptr) throw std::bad_alloc();
        std::memcpy(context_->extradata, track.config.data, track.config.size);
        context_->extradata_size = static_cast<int>(track.config.size);
    }
    const int result = libav().avcodec_open2(context_.get(), codec, nullptr);
    if (result < 0) throw Error(TD_UNSUPPORTED, std::string(codec->name) + " decoder: " + libav_error(result));
}

int Decoder::send(ByteSpan packet) {
    if (packet.empty() || packet.size() > largest_packet) return AVERROR_INVALIDDATA;
    padded_.resize(packet.size() + AV_INPUT_BUFFER_PADDING_SIZE);
    std::memcpy(padded_.data(), packet.data(), packet.size());
    std::memset(padded_.data() + packet.size(), 0, AV_INPUT_BUFFER_PADDING_SIZE);
    packet_->data = padded_.data();
    packet_->size = static_cast<int>(packet.size());
    const int result = libav().avcodec_send_packet(context_.get(), packet_.get());
    packet_->data = nullptr;
    packet_->size = 0;
    return result;
}

bool Decoder::is_whole(int result) {
    if (result == AVERROR(EAGAIN)) return true;
    libav().avcodec_flush_buffers(context_.get());
    return false;
}

}  // namespace tapedeck::audio
