#include "rtp/ulpfec.hpp"

#include <algorithm>
#include <utility>

#include "rtp/wire.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::size_t fec_header = 10, short_mask = 2, long_mask = 6;
constexpr unsigned mask_bits = 48;

/// What stands between the fixed header and the payload.
ByteSpan head_of(ByteSpan whole) {
    std::size_t size = (whole[0] & 0x0fu) * 4u;
    if ((whole[0] & 0x10) != 0) {
        const auto words = whole.subspan(header_size + size + 2);
        size += 4 + (static_cast<std::size_t>(words[0]) << 8 | words[1]) * 4;
    }
    return whole.subspan(header_size, size);
}

void mix(std::span<std::uint8_t> into, ByteSpan from) {
    const auto count = std::min(into.size(), from.size());
    std::transform(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count), into.begin(), into.begin(),
                   [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a ^ b); });
}

template <class Work>
void each(std::uint16_t base, std::uint64_t mask, Work work) {
    for (unsigned i = 0; i < mask_bits; ++i)
        if ((mask >> (mask_bits - 1 - i) & 1u) != 0) work(static_cast<std::uint16_t>(base + i));
}

}  // namespace

const Ulpfec::Kept* Ulpfec::find(std::uint16_t sequence) const {
    const auto& kept = kept_[sequence % window];
    return kept.buffer && kept.packet.sequence == sequence ? &kept : nullptr;
}

void Ulpfec::media(const Packet& packet, const Buffer& buffer) {
    const bool is_padded = (packet.whole[0] & 0x20) != 0;  // what belongs to whom would be a guess
    if (is_padded || packet.payload.empty()) return;
    ssrc_ = packet.ssrc;
    if (static_cast<std::int16_t>(packet.sequence - newest_) > 0 || !find(newest_)) newest_ = packet.sequence;
    kept_[packet.sequence % window] = {packet, buffer, head_of(packet.whole)};
    looks_again_ = true;
}

void Ulpfec::fec(ByteSpan payload, const Buffer& buffer) {
    ByteReader reader(payload);
    Fec fec;
    fec.header = reader.take(fec_header);
    const bool is_long = (fec.header[0] & 0x40) != 0;
    fec.base = static_cast<std::uint16_t>(fec.header[2] << 8 | fec.header[3]);
    const std::size_t size = reader.u16();
    for (const auto byte : reader.take(is_long ? long_mask : short_mask)) fec.mask = fec.mask << 8 | byte;
    if (!is_long) fec.mask <<= 8 * (long_mask - short_mask);
    fec.protection = reader.take(size);
    fec.buffer = buffer;
    if (waiting_.size() == most_waiting) waiting_.erase(waiting_.begin());
    waiting_.push_back(std::move(fec));
    looks_again_ = true;
}

Ulpfec::Missing Ulpfec::missing_of(const Fec& fec) const {
    Missing missing;
    each(fec.base, fec.mask, [&](std::uint16_t sequence) {
        if (find(sequence) == nullptr) missing = {missing.count + 1, sequence};
    });
    return missing;
}

std::optional<Ulpfec::Recovered> Ulpfec::recovered() {
    if (!std::exchange(looks_again_, false)) return std::nullopt;
    for (auto fec = waiting_.begin(); fec != waiting_.end();) {
        const auto missing = missing_of(*fec);
        const bool is_old = static_cast<std::int16_t>(newest_ - fec->base) >= static_cast<int>(window);
        if (missing.count > 1 && !is_old) {
            ++fec;
            continue;
        }
        auto rebuilt = missing.count == 1 ? rebuild(*fec, missing.sequence) : std::nullopt;
        fec = waiting_.erase(fec);
        if (!rebuilt) continue;
        media(rebuilt->packet, rebuilt->buffer);
        return rebuilt;
    }
    return std::nullopt;
}

/// RFC 5109 section 9.2.
std::optional<Ulpfec::Recovered> Ulpfec::rebuild(const Fec& fec, std::uint16_t missing) {
    std::uint8_t first = fec.header[0], second = fec.header[1];
    std::uint32_t timestamp = 0;
    for (const auto byte : fec.header.subspan(4, 4)) timestamp = timestamp << 8 | byte;
    auto length = static_cast<std::size_t>(fec.header[8]) << 8 | fec.header[9];
    each(fec.base, fec.mask, [&](std::uint16_t sequence) {
        const auto* kept = find(sequence);
        if (kept == nullptr) return;
        first ^= kept->packet.whole[0];
        second ^= static_cast<std::uint8_t>((kept->packet.marker ? 0x80 : 0) | kept->packet.payload_type);
        timestamp ^= kept->packet.timestamp;
        length ^= (kept->head.size() + kept->packet.payload.size()) & 0xffff;
    });
    if (length > fec.protection.size()) return std::nullopt;

    const auto buffer = context_.buffer(header_size + length);
    auto* at = buffer.data();
    *at++ = static_cast<std::uint8_t>(0x80 | (first & 0x3f));
    *at++ = second;
    at = put16(at, missing);
    at = put32(at, timestamp);
    at = put32(at, ssrc_);
    const std::span body(at, length);
    std::copy_n(fec.protection.begin(), length, body.begin());
    each(fec.base, fec.mask, [&](std::uint16_t sequence) {
        const auto* kept = find(sequence);
        if (kept == nullptr) return;
        mix(body, kept->head);
        if (body.size() > kept->head.size()) mix(body.subspan(kept->head.size()), kept->packet.payload);
    });
    try {
        return Recovered{parse_packet({buffer.data(), header_size + length}), buffer};
    } catch (const Malformed&) {
        return std::nullopt;  // protected with other bytes than those that came
    }
}

}  // namespace tapedeck::rtp
