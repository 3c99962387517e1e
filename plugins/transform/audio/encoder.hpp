// Sound into AAC or Opus.
#pragma once

#include <array>
#include <cstdint>

#include "libav.hpp"
#include "settings.hpp"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::audio {

class Outlet;

/// An encoder of libavcodec that is fed sample by sample and gives whole frames. Times count samples; the first packet
/// lies the encoder's delay before the first sample, and packets follow each other without a hole. One thread.
class Encoder {
public:
    /// Throws Error (TD_UNSUPPORTED) when libavcodec has no such encoder.
    explicit Encoder(const Format& format);

    int sample_rate() const { return context_->sample_rate; }
    AVSampleFormat format() const { return context_->sample_fmt; }
    const AVChannelLayout& layout() const { return context_->ch_layout; }
    /// Samples of a packet.
    int frame() const { return context_->frame_size; }
    /// Samples that a decoder gives before the first that was put in.
    int padding() const { return context_->initial_padding; }
    /// The decoder's setup.
    ByteSpan config() const;
    /// libavcodec's name for it.
    const char* name() const { return context_->codec->name; }

    /// Where the first sample belongs and where packets go, which must outlive this object. Once, before what follows.
    void start(std::int64_t at, Outlet& out);
    /// Where the next sample comes.
    std::int64_t position() const { return position_; }

    /// Place for the next samples; never empty.
    struct Room {
        std::array<std::uint8_t*, 8> planes{};
        int samples = 0;
    };
    Room room();
    /// So many of them are there now. Throws Error when the encoder fails.
    void filled(int samples);
    /// Silence. More than a second of it costs no encoding, and more than a minute is a hole between packets.
    void silence(std::int64_t samples);
    /// The end: all that was put in comes out, the last frame filled with silence. Nothing may follow.
    void finish();

private:
    void silence_what_is_no_number();
    void encode(const AVFrame* frame);

    Owned<AVCodecContext> context_;
    Owned<AVFrame> frame_;
    Owned<AVPacket> packet_;
    Outlet* out_ = nullptr;
    int filled_ = 0;  // samples in frame_
    std::int64_t position_ = 0;
    std::int64_t next_pts_ = 0;  // of the packet to come
};

}  // namespace tapedeck::audio
