// One track of sound into another codec.
#pragma once

#include <cstdint>
#include <optional>

#include "alignment.hpp"
#include "decoder.hpp"
#include "encoder.hpp"
#include "load.hpp"
#include "outlet.hpp"
#include "resampler.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::audio {

/// Decodes, resamples and encodes, and keeps every sound at its time: what comes out of a decoder at time t lies there
/// in the output too, to within a millisecond. A packet's time is that of the first sample that its decoder gives. One
/// thread.
class Transcoder {
public:
    /// Announces the new track at `sink`. Throws Error (TD_UNSUPPORTED) where the wanted codec cannot be encoded; that
    /// `in` cannot be decoded is only warned of, since its parameters may still change.
    Transcoder(const Context& context, const td_track& in, const Format& wanted, const Sink& sink);

    /// Throws only what the sink throws, and Error when the encoder fails; a bad packet becomes silence.
    void push(const td_packet& packet);
    /// The end: all that is held back comes out. Nothing may follow.
    void flush();
    /// libavcodec's name for it.
    std::string_view encoder_name() const { return encoder_.name(); }

private:
    static Track track_of(const td_track& in, const Encoder& encoder, std::uint32_t codec);
    void open_decoder();
    void change(const td_track& track);
    bool take(const AVFrame& block, std::optional<std::int64_t> belongs);
    std::int64_t fit(const AVFrame& block, std::int64_t belongs);
    std::optional<std::int64_t> place_of(const td_packet& packet) const;

    Context context_;
    Load load_;
    Track in_;
    std::optional<Decoder> decoder_;
    Encoder encoder_;
    Resampler resampler_{encoder_};
    Alignment alignment_;
    Outlet out_;
    bool is_started_ = false;
    bool is_broken_ = false;  // the next block does not follow the last one
    int pre_skip_ = 0;        // samples of the decoder's rate that are not to be heard
};

}  // namespace tapedeck::audio
