#include "rtp/statistics.hpp"

#include <algorithm>

#include "rtp/extend.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t farthest_jump = 3000;

}  // namespace

void ReceiveStatistics::begin(std::int64_t sequence) {
    first_ = highest_ = sequence;
    received_ = expected_before_ = received_before_ = 0;
    jitter_16_ = 0;
}

void ReceiveStatistics::packet(const Packet& packet, std::int64_t now_us) {
    const auto arrival = now_us / 1'000'000 * clock_ + now_us % 1'000'000 * clock_ / 1'000'000;
    const auto transit = static_cast<std::uint32_t>(arrival & 0xffffffff) - packet.timestamp;
    if (first_ < 0) begin(packet.sequence);
    const auto sequence = nearest<16>(highest_, packet.sequence);
    if (sequence > highest_ + farthest_jump || sequence < highest_ - farthest_jump) {
        if (stray_ != packet.sequence) {
            stray_ = static_cast<std::uint16_t>(packet.sequence + 1);
            return;
        }
        begin(packet.sequence);
    } else {
        highest_ = std::max(highest_, sequence);
    }
    stray_.reset();
    if (received_++ != 0) {
        const auto difference = static_cast<std::int32_t>(transit - last_transit_);
        const auto distance =
            difference < 0 ? 0u - static_cast<std::uint32_t>(difference) : static_cast<std::uint32_t>(difference);
        jitter_16_ += distance - ((jitter_16_ + 8) >> 4);
    }
    last_transit_ = transit;
}

void ReceiveStatistics::sender_report(const SenderInfo& info, std::int64_t now_us) {
    last_sr_ = static_cast<std::uint32_t>(info.ntp >> 16 & 0xffffffff);
    sr_us_ = now_us;
}

std::optional<ReportBlock> ReceiveStatistics::report(std::int64_t now_us) {
    if (first_ < 0) return std::nullopt;
    const auto expected = highest_ - first_ + 1;
    const auto expected_now = expected - expected_before_;
    const auto lost_now = expected_now - (received_ - received_before_);
    expected_before_ = expected;
    received_before_ = received_;

    ReportBlock block;
    block.ssrc = ssrc_;
    if (expected_now > 0 && lost_now > 0)
        block.fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(lost_now * 256 / expected_now, 255));
    block.lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(expected - received_, -0x800000, 0x7fffff));
    block.highest = static_cast<std::uint32_t>(highest_ & 0xffffffff);
    block.jitter = jitter_16_ >> 4;
    block.last_sr = last_sr_;
    if (last_sr_ != 0) {
        const auto since_us = now_us - sr_us_;
        block.since_sr =
            static_cast<std::uint32_t>((since_us / 1'000'000 << 16) + ((since_us % 1'000'000) << 16) / 1'000'000);
    }
    return block;
}

}  // namespace tapedeck::rtp
