#include "rtp/receiver.hpp"

#include <algorithm>

#include "rtp/extend.hpp"
#include "rtp/h264_depacketiser.hpp"
#include "rtp/redundancy.hpp"
#include "rtp/vp8_depacketiser.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t silence_us = 2'000'000;  // after which a stream from before may come back
constexpr std::size_t most_former = 64;
constexpr std::int64_t forever_us = 86'400'000'000;

std::unique_ptr<rtp::Depacketiser> depacketiser_for(const Context& context, const ReceiverSetup& setup) {
    switch (setup.codec) {
        case TD_CODEC_VP8:
            return std::make_unique<rtp::Vp8Depacketiser>(context, setup.track);
        case TD_CODEC_OPUS:
            return std::make_unique<rtp::AudioDepacketiser>(rtp::opus_track(setup.track, setup.channels));
        case TD_CODEC_H264:
            break;
        default:
            return std::make_unique<rtp::AudioDepacketiser>(rtp::telephone_track(setup.track, setup.codec));
    }
    auto h264 = std::make_unique<rtp::H264Depacketiser>(context, setup.track);
    for (const auto& set : setup.parameter_sets) {
        try {
            h264->parameter_set(set);
        } catch (const Malformed& e) {
            context.warning(std::string("a parameter set of the SDP is of no use: ") + e.what());
        }
    }
    return h264;
}

}  // namespace

Receiver::Receiver(Context context, const ReceiverSetup& setup)
    : context_(context),
      setup_(setup),
      is_video_(setup.codec == TD_CODEC_H264 || setup.codec == TD_CODEC_VP8),
      depacketiser_(depacketiser_for(context, setup)),
      sender_clock_(setup.clock) {}

bool Receiver::takes(std::uint8_t payload_type) const {
    return payload_type == setup_.payload_type || payload_type == setup_.rtx || payload_type == setup_.red ||
           payload_type == setup_.red_rtx;
}

void Receiver::rtp(const rtp::Packet& packet, const Buffer& buffer, std::int64_t now_us, rtp::MediaOut& out) {
    if (packet.payload_type == setup_.rtx || packet.payload_type == setup_.red_rtx)
        repeated(packet, buffer, now_us);
    else
        original(packet, buffer, now_us, out);
}

bool Receiver::was_before(std::uint32_t ssrc) const {
    return std::find(former_.begin(), former_.end(), ssrc) != former_.end();
}

void Receiver::begin(const rtp::Packet& packet, std::int64_t now_us, rtp::MediaOut& out) {
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
    sender_clock_ = rtp::SenderClock(setup_.clock);
    first_report_.reset();
    timestamp_.reset();
    shift_.reset();
    last_key_us_ = now_us;
    wants_key_ = is_video_;
}

void Receiver::original(const rtp::Packet& packet, const Buffer& buffer, std::int64_t now_us, rtp::MediaOut& out) {
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
void Receiver::unpack(const rtp::Packet& packet) {
    blocks_.clear();
    if (packet.payload_type == setup_.red) {
        try {
            rtp::unpack_red(packet, blocks_);
        } catch (const Malformed&) {
            ++malformed_;
            blocks_.clear();
        }
    }
    if (blocks_.empty()) blocks_.push_back(packet);
}

void Receiver::repeated(const rtp::Packet& packet, const Buffer& buffer, std::int64_t now_us) {
    if (!ssrc_ || was_before(packet.ssrc)) return;
    rtx_ssrc_ = packet.ssrc;
    const bool is_red = packet.payload_type == setup_.red_rtx;
    const auto original = rtp::unpack_rtx(packet, *ssrc_, is_red ? setup_.red.value_or(0) : setup_.payload_type);
    if (!original) return;
    unpack(*original);
    if (blocks_.back().payload_type == setup_.payload_type) insert(blocks_.back(), buffer, now_us, true);
}

void Receiver::insert(const rtp::Packet& packet, const Buffer& buffer, std::int64_t now_us, bool repeated) {
    rtp::Received received;
    received.packet = packet;
    received.buffer = buffer;
    jitter_->insert(std::move(received), now_us, repeated);
}

void Receiver::sender_report(const rtp::SenderInfo& info, std::int64_t now_us) {
    if (!statistics_) return;
    statistics_->sender_report(info, now_us);
    if (timestamp_)
        sender_clock_.report(info, *timestamp_);
    else
        first_report_ = info;
}

void Receiver::drain(std::int64_t now_us, rtp::MediaOut& out) {
    pop(now_us, now_us, out);
}

void Receiver::finish(std::int64_t now_us, rtp::MediaOut& out) {
    pop(now_us + forever_us, now_us, out);
}

void Receiver::pop(std::int64_t due_us, std::int64_t now_us, rtp::MediaOut& out) {
    if (!jitter_) return;
    out_ = &out;
    now_us_ = now_us;
    while (auto received = jitter_->pop(due_us)) {
        const auto stamp = received->packet.timestamp;
        timestamp_ = timestamp_ ? rtp::nearest<32>(*timestamp_, stamp) : std::int64_t{stamp};
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
    out_->packet(placed);
}

void Receiver::feedback(Bytes& into, std::uint32_t own_ssrc, std::int64_t now_us) {
    if (!jitter_) return;
    if (setup_.has_nack) {
        lost_.clear();
        jitter_->nacks(now_us, lost_);
        if (!lost_.empty()) rtp::append(into, rtp::Nack{own_ssrc, *ssrc_, lost_});
    }
    if (setup_.key_interval_us != 0 && now_us - last_key_us_ >= setup_.key_interval_us) {
        last_key_us_ = now_us;
        wants_key_ = wants_by_fir_ = true;
    }
    if (!setup_.has_pli && !setup_.has_fir) return;
    if (!key_requests_.due(needs_key(), now_us, jitter_->rtt_us())) return;
    if (setup_.has_pli && !(wants_by_fir_ && setup_.has_fir))
        rtp::append(into, rtp::PictureLoss{own_ssrc, *ssrc_});
    else
        rtp::append(into, rtp::FullIntra{own_ssrc, *ssrc_, fir_number_++});
}

std::optional<rtp::ReportBlock> Receiver::report(std::int64_t now_us) {
    return statistics_ ? statistics_->report(now_us) : std::nullopt;
}

}  // namespace tapedeck::rtp
