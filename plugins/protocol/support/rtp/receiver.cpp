#include "rtp/receiver.hpp"

#include <algorithm>

#include "rtp/extend.hpp"
#include "rtp/h264_depacketiser.hpp"
#include "rtp/h265_depacketiser.hpp"
#include "rtp/redundancy.hpp"
#include "rtp/vp8_depacketiser.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t silence_us = 2'000'000;  // after which a stream from before may come back
constexpr std::size_t most_former = 64;
constexpr std::int64_t forever_us = 86'400'000'000;

template <class Pictures>
std::unique_ptr<Pictures> with_parameters(const Context& context, std::unique_ptr<Pictures> pictures,
                                          const ReceiverSetup& setup) {
    for (const auto& set : setup.parameter_sets) {
        try {
            pictures->parameter_set(set);
        } catch (const Malformed& e) {
            context.warning(std::string("a parameter set of the SDP is of no use: ") + e.what());
        }
    }
    return pictures;
}

std::unique_ptr<Depacketiser> depacketiser_for(const Context& context, const ReceiverSetup& setup) {
    switch (setup.codec) {
        case TD_CODEC_VP8:
            return std::make_unique<Vp8Depacketiser>(context, setup.track);
        case TD_CODEC_OPUS:
            return std::make_unique<AudioDepacketiser>(opus_track(setup.track, setup.channels));
        case TD_CODEC_AAC:
            return std::make_unique<AacDepacketiser>(context, setup.track, setup.clock, setup.aac);
        case TD_CODEC_H265:
            return with_parameters(context, std::make_unique<H265Depacketiser>(context, setup.track), setup);
        case TD_CODEC_H264:
            return with_parameters(context, std::make_unique<H264Depacketiser>(context, setup.track), setup);
        default:
            return std::make_unique<AudioDepacketiser>(telephone_track(setup.track, setup.codec));
    }
}

}  // namespace

Receiver::Receiver(Context context, const ReceiverSetup& setup)
    : context_(context),
      setup_(setup),
      is_video_(setup.codec == TD_CODEC_H264 || setup.codec == TD_CODEC_H265 || setup.codec == TD_CODEC_VP8),
      depacketiser_(depacketiser_for(context, setup)),
      sender_clock_(setup.clock) {}

bool Receiver::takes(std::uint8_t payload_type) const {
    return payload_type == setup_.payload_type || payload_type == setup_.rtx || payload_type == setup_.red ||
           payload_type == setup_.red_rtx;
}

void Receiver::rtp(const Packet& packet, const Buffer& buffer, std::int64_t now_us, MediaOut& out) {
    if (packet.payload_type == setup_.rtx || packet.payload_type == setup_.red_rtx)
        repeated(packet, buffer, now_us);
    else
        original(packet, buffer, now_us, out);
}

bool Receiver::was_before(std::uint32_t ssrc) const {
    return std::find(former_.begin(), former_.end(), ssrc) != former_.end();
}

void Receiver::begin(const Packet& packet, std::int64_t now_us, MediaOut& out) {
    if (ssrc_) {
        finish(now_us, out);
        if (was_before(packet.ssrc) || former_.size() + 2 > most_former) former_.clear();
        former_.push_back(*ssrc_);
        if (rtx_ssrc_) former_.push_back(*rtx_ssrc_);
        malformed_ += depacketiser_->malformed();
        depacketiser_ = depacketiser_for(context_, setup_);
    }
    ssrc_ = packet.ssrc;
    rtx_ssrc_.reset();
    statistics_.emplace(packet.ssrc, setup_.clock);
    jitter_.emplace(setup_.jitter);
    if (setup_.ulpfec) ulpfec_.emplace(context_);
    sender_clock_ = SenderClock(setup_.clock);
    first_report_.reset();
    timestamp_.reset();
    shift_.reset();
    last_key_us_ = now_us;
    wants_key_ = is_video_;
}

void Receiver::original(const Packet& packet, const Buffer& buffer, std::int64_t now_us, MediaOut& out) {
    if (packet.ssrc != ssrc_) {
        if (!takes(packet.payload_type)) return;
        if (was_before(packet.ssrc) && now_us - last_packet_us_ < silence_us) return;
        begin(packet, now_us, out);
    }
    last_packet_us_ = now_us;
    statistics_->packet(packet, now_us);
    unpack(packet);
    for (const auto& block : blocks_) {
        const bool is_own = &block == &blocks_.back();
        try {
            if (ulpfec_ && block.payload_type == setup_.ulpfec) ulpfec_->fec(block.payload, buffer);
        } catch (const Malformed&) {
            ++malformed_;
        }
        if (block.payload_type == setup_.payload_type) {
            if (ulpfec_ && is_own) ulpfec_->media(block, buffer);
            insert(block, buffer, now_us, !is_own);
        } else if (is_own) {
            auto empty = packet;  // its number is not missing
            empty.payload = {};
            insert(empty, buffer, now_us, false);
        }
    }
    while (const auto rebuilt = ulpfec_ ? ulpfec_->recovered() : std::nullopt)
        if (rebuilt->packet.payload_type == setup_.payload_type) insert(rebuilt->packet, rebuilt->buffer, now_us, true);
}

/// Into `blocks_`, of which the last one has the packet's own number.
void Receiver::unpack(const Packet& packet) {
    blocks_.clear();
    if (packet.payload_type == setup_.red) {
        try {
            unpack_red(packet, blocks_);
        } catch (const Malformed&) {
            ++malformed_;
            blocks_.clear();
        }
    }
    if (blocks_.empty()) blocks_.push_back(packet);
}

void Receiver::repeated(const Packet& packet, const Buffer& buffer, std::int64_t now_us) {
    if (!ssrc_ || was_before(packet.ssrc)) return;
    rtx_ssrc_ = packet.ssrc;
    const bool is_red = packet.payload_type == setup_.red_rtx;
    const auto original = unpack_rtx(packet, *ssrc_, is_red ? setup_.red.value_or(0) : setup_.payload_type);
    if (!original) return;
    unpack(*original);
    if (blocks_.back().payload_type == setup_.payload_type) insert(blocks_.back(), buffer, now_us, true);
}

void Receiver::insert(const Packet& packet, const Buffer& buffer, std::int64_t now_us, bool repeated) {
    Received received;
    received.packet = packet;
    received.buffer = buffer;
    jitter_->insert(std::move(received), now_us, repeated);
}

void Receiver::sender_report(const SenderInfo& info, std::int64_t now_us) {
    if (!statistics_) return;
    statistics_->sender_report(info, now_us);
    if (timestamp_)
        sender_clock_.report(info, *timestamp_);
    else
        first_report_ = info;
}

void Receiver::drain(std::int64_t now_us, MediaOut& out) {
    pop(now_us, now_us, out);
}

void Receiver::finish(std::int64_t now_us, MediaOut& out) {
    pop(now_us + forever_us, now_us, out);
}

void Receiver::pop(std::int64_t due_us, std::int64_t now_us, MediaOut& out) {
    if (!jitter_) return;
    out_ = &out;
    now_us_ = now_us;
    while (auto received = jitter_->pop(due_us)) {
        const auto stamp = received->packet.timestamp;
        timestamp_ = timestamp_ ? nearest<32>(*timestamp_, stamp) : std::int64_t{stamp};
        if (first_report_) sender_clock_.report(*first_report_, *timestamp_);
        first_report_.reset();
        received->wallclock_us = sender_clock_.wallclock_us(*timestamp_);
        depacketiser_->push(*received, *this);
    }
    out_ = nullptr;
}

void Receiver::track(const td_track& track) {
    out_->track(track);
}

void Receiver::packet(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_KEY) != 0) wants_key_ = wants_by_fir_ = false;
    auto placed = packet;
    const td_rational base{1, static_cast<std::int32_t>(setup_.clock)};
    if (!shift_) shift_ = to_ticks(now_us_ + setup_.unix_offset_us, base) - packet.pts;
    placed.pts += *shift_;
    if (placed.dts != TD_NO_TIME) placed.dts += *shift_;
    out_->packet(placed);
}

std::optional<std::int64_t> Receiver::pts_at(std::uint32_t timestamp) const {
    if (!timestamp_ || !shift_) return std::nullopt;
    return nearest<32>(*timestamp_, timestamp) + *shift_;
}

void Receiver::feedback(Bytes& into, std::uint32_t own_ssrc, std::int64_t now_us) {
    if (!jitter_) return;
    if (setup_.has_nack) {
        lost_.clear();
        jitter_->nacks(now_us, lost_);
        if (!lost_.empty()) append(into, Nack{own_ssrc, *ssrc_, lost_});
    }
    if (setup_.key_interval_us != 0 && now_us - last_key_us_ >= setup_.key_interval_us) {
        last_key_us_ = now_us;
        wants_key_ = wants_by_fir_ = true;
    }
    if (!setup_.has_pli && !setup_.has_fir) return;
    if (!key_requests_.due(needs_key(), now_us, jitter_->rtt_us())) return;
    if (setup_.has_pli && !(wants_by_fir_ && setup_.has_fir))
        append(into, PictureLoss{own_ssrc, *ssrc_});
    else
        append(into, FullIntra{own_ssrc, *ssrc_, fir_number_++});
}

std::optional<ReportBlock> Receiver::report(std::int64_t now_us) {
    return statistics_ ? statistics_->report(now_us) : std::nullopt;
}

}  // namespace tapedeck::rtp
