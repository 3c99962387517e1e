// Packets of one track into sound.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "libav.hpp"
#include "tapedeck/abi.h"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::audio {

/// Whether sound of this codec can be decoded. Loads nothing.
bool is_known(std::uint32_t codec);

/// A decoder of libavcodec. One thread.
class Decoder {
public:
    /// Throws Error (TD_UNSUPPORTED) when libavcodec cannot decode such a track.
    explicit Decoder(const td_track& track);

    /// Samples at the start of a stream that only set the decoder up (Opus' pre-skip), at the decoder's rate.
    int pre_skip() const { return std::max(context_->delay, 0); }

    /// Calls `take(block, offset)` for what the packet holds; the block is the decoder's, for the call. `offset`: of
    /// its first sample from the packet's time, in samples of its rate. False when some of it cannot be decoded.
    template <class Take>
    bool decode(ByteSpan packet, Take take) {
        std::int64_t offset = 0;
        int result = send(packet);
        while (result >= 0 && (result = libav().avcodec_receive_frame(context_.get(), frame_.get())) >= 0) {
            take(static_cast<const AVFrame&>(*frame_), offset);
            offset += frame_->nb_samples;
        }
        return is_whole(result);
    }

private:
    int send(ByteSpan packet);
    bool is_whole(int result);

    Owned<AVCodecContext> context_;
    Owned<AVFrame> frame_;
    Owned<AVPacket> packet_;
    std::vector<std::uint8_t> padded_;  // the payload and the zeros behind it that libavcodec reads
};

}  // namespace tapedeck::audio
