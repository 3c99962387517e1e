#include "rtp/sender.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/sender_clock.hpp"
#include "rtp/wire.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t shortest_repeat_us = 20'000;
constexpr unsigned most_repeats = 5;

std::uint8_t* put(std::uint8_t* at, const Payload& payload) {
    std::memcpy(at, payload.prefix.data(), payload.prefix_size);
    at += payload.prefix_size;
    if (!payload.body.empty()) std::memcpy(at, payload.body.data(), payload.body.size());
    return at + payload.body.size();
}

}  // namespace

Sender::Sender(const SenderSetup& setup)
    : setup_(setup),
      history_(setup.history),
      next_(setup.first_sequence),
      oldest_(setup.first_sequence),
      next_rtx_(setup.first_rtx_sequence) {}

void Sender::change(const SenderSetup& setup) {
    setup_.payload_type = setup.payload_type;
    setup_.rtx_ssrc = setup.rtx_ssrc;
    setup_.rtx_payload_type = setup.rtx_payload_type;
    for (; oldest_ != next_; ++oldest_) sent(oldest_).payload = {};
}

std::size_t Sender::write(std::span<std::uint8_t> into, const Payload& payload, std::uint32_t timestamp,
                          std::span<const Extension> extensions, std::int64_t now_us) {
    forget_old(now_us);
    if (static_cast<std::uint16_t>(next_ - oldest_) == history_.size()) ++oldest_;
    Packet packet;
    packet.marker = payload.marker;
    packet.payload_type = setup_.payload_type;
    packet.sequence = next_++;
    packet.timestamp = timestamp + payload.ticks;
    packet.ssrc = setup_.ssrc;
    auto& kept = sent(packet.sequence);
    kept.payload = payload;
    kept.timestamp = packet.timestamp;
    kept.sent_us = now_us;
    kept.repeated_us = INT64_MIN / 2;
    kept.repeats = 0;
    ++packets_;
    octets_ += static_cast<std::uint32_t>(payload.size());
    const auto head = write_header(into, packet, extensions);
    return static_cast<std::size_t>(put(into.data() + head, payload) - into.data());
}

void Sender::forget_old(std::int64_t now_us) {
    for (; oldest_ != next_ && sent(oldest_).sent_us + setup_.history_us < now_us; ++oldest_)
        sent(oldest_).payload = {};
}

const Payload* Sender::lost(std::uint16_t sequence, std::int64_t now_us, std::int64_t rtt_us) {
    forget_old(now_us);
    if (static_cast<std::uint16_t>(sequence - oldest_) >= static_cast<std::uint16_t>(next_ - oldest_)) return nullptr;
    const auto& kept = sent(sequence);
    if (kept.repeats == most_repeats || kept.repeated_us + std::max(rtt_us, shortest_repeat_us) > now_us)
        return nullptr;
    return &kept.payload;
}

std::size_t Sender::repeat(std::span<std::uint8_t> into, std::uint16_t sequence, std::span<const Extension> extensions,
                           std::int64_t now_us) {
    auto& kept = sent(sequence);
    kept.repeated_us = now_us;
    ++kept.repeats;
    Packet packet;
    packet.marker = kept.payload.marker;
    packet.timestamp = kept.timestamp;
    packet.sequence = setup_.rtx_ssrc ? next_rtx_++ : sequence;
    packet.ssrc = setup_.rtx_ssrc.value_or(setup_.ssrc);
    packet.payload_type = setup_.rtx_ssrc ? setup_.rtx_payload_type : setup_.payload_type;
    auto* at = into.data() + write_header(into, packet, extensions);
    if (setup_.rtx_ssrc) at = put16(at, sequence);
    return static_cast<std::size_t>(put(at, kept.payload) - into.data());
}

SenderInfo Sender::info(std::int64_t unix_us, std::uint32_t timestamp) const {
    return {ntp(unix_us), timestamp, packets_, octets_};
}

}  // namespace tapedeck::rtp
