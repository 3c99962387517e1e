#include "transcoder.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::audio {

namespace {

constexpr int lowest_rate = 4000, highest_rate = 192'000;  // of what a decoder may say

bool same(const td_track& a, const td_track& b) {
    return a.codec == b.codec && a.sample_rate == b.sample_rate && a.channels == b.channels &&
           std::ranges::equal(ByteSpan(a.config.data, a.config.size), ByteSpan(b.config.data, b.config.size));
}

}  // namespace

Transcoder::Transcoder(const Context& context, const td_track& in, const Format& wanted, const Sink& sink)
    : context_(context),
      load_(context),
      in_(in),
      encoder_(wanted),
      alignment_(static_cast<std::uint32_t>(wanted.sample_rate)),
      out_(context, sink, track_of(in, encoder_, wanted.codec), encoder_.frame()) {
    open_decoder();
    sink.track(track_of(in, encoder_, wanted.codec));
}

Track Transcoder::track_of(const td_track& in, const Encoder& encoder, std::uint32_t codec) {
    Track track(in);
    track.track.codec = codec;
    track.track.time_base = {1, encoder.sample_rate()};
    track.track.sample_rate = static_cast<std::uint32_t>(encoder.sample_rate());
    track.track.channels = static_cast<std::uint32_t>(encoder.layout().nb_channels);
    track.config(encoder.config());
    return track;
}

void Transcoder::open_decoder() {
    decoder_.reset();
    try {
        decoder_.emplace(in_);
        pre_skip_ = decoder_->pre_skip();
        is_broken_ = true;
    } catch (const Error& error) {
        context_.warning("track " + std::to_string(in_.track.index) + " is silent for now: " + error.what());
    }
}

void Transcoder::change(const td_track& track) {
    const bool is_same = same(in_, track);
    in_ = Track(track);
    if (!is_same) open_decoder();
}

/// Where the first sample of a packet belongs, in samples of the output; nothing for a packet without a time.
std::optional<std::int64_t> Transcoder::place_of(const td_packet& packet) const {
    const td_rational base = in_.track.time_base;
    if (packet.pts == TD_NO_TIME || base.num <= 0 || base.den <= 0) return std::nullopt;
    const double seconds = static_cast<double>(packet.pts) * base.num / base.den;
    if (std::abs(seconds) > 1e10) return std::nullopt;  // no time of this century
    return rescale(packet.pts, base, {1, encoder_.sample_rate()});
}

void Transcoder::push(const td_packet& packet) {
    {
        const Load::Work work(load_);
        if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) change(*packet.changed);
        if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0) is_broken_ = true;
        const auto place = place_of(packet);
        if (place) out_.captured(*place, packet.wallclock_us);
        bool is_whole = decoder_.has_value();
        const auto taken = [&](const AVFrame& block, std::int64_t offset) {
            if (block.nb_samples <= 0) return;
            if (block.sample_rate < lowest_rate || block.sample_rate > highest_rate) {
                is_whole = false;
                return;
            }
            auto belongs = place;
            if (belongs) *belongs += rescale(offset, {1, block.sample_rate}, {1, encoder_.sample_rate()});
            is_whole = take(block, belongs) && is_whole;
        };
        if (decoder_ && !decoder_->decode({packet.data, packet.data_size}, taken)) is_whole = false;
        if (!is_whole) {
            is_broken_ = true;
            load_.lost_packet();
        }
    }
    out_.send();
}

/// `belongs`: where the block's first sample belongs, or nothing: where the output stands. False when it is lost.
bool Transcoder::take(const AVFrame& block, std::optional<std::int64_t> belongs) {
    const int hidden = std::min(pre_skip_, block.nb_samples);
    pre_skip_ -= hidden;
    if (belongs) *belongs += rescale(hidden, {1, block.sample_rate}, {1, encoder_.sample_rate()});
    if (hidden == block.nb_samples) return true;
    if (!is_started_) {
        encoder_.start(belongs.value_or(0), out_);
        is_started_ = true;
    }
    if (!resampler_.fits(block)) {
        resampler_.drain();
        if (!resampler_.open(block)) return false;
    }
    const std::int64_t skip = hidden + (belongs ? fit(block, *belongs) : 0);
    if (skip < block.nb_samples) resampler_.put(block, static_cast<int>(skip));
    return true;
}

/// Makes the output stand where the block belongs. Gives how many of its samples are to be left out for that.
std::int64_t Transcoder::fit(const AVFrame& block, std::int64_t belongs) {
    const td_rational from{1, block.sample_rate}, to{1, encoder_.sample_rate()};
    const std::int64_t stands = encoder_.position() + resampler_.pending();
    const auto step = alignment_.place(belongs, stands, rescale(block.nb_samples, from, to), is_broken_);
    is_broken_ = false;
    if (step.silence > 0) {
        resampler_.drain();
        encoder_.silence(std::max<std::int64_t>(stands + step.silence - encoder_.position(), 0));
        resampler_.open(block);
    }
    if (step.stretch != 0) resampler_.stretch(step.stretch);
    return rescale(step.skip, to, from);
}

void Transcoder::flush() {
    {
        const Load::Work work(load_);
        if (!is_started_) return;
        resampler_.drain();
        encoder_.finish();
    }
    out_.send();
}

}  // namespace tapedeck::audio
