#include "rtp/packetiser.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/wire.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::uint8_t stap_a_type = 24, fu_a_type = 28;

/// Calls `each(ByteSpan part, bool first, bool last)` for parts of nearly equal size, `largest` at most.
template <class Each>
void split(ByteSpan bytes, std::size_t largest, Each each) {
    const auto parts = (bytes.size() + largest - 1) / largest;
    for (std::size_t i = 0; i < parts; ++i) {
        const auto from = bytes.size() * i / parts, to = bytes.size() * (i + 1) / parts;
        each(bytes.subspan(from, to - from), i == 0, i + 1 == parts);
    }
}

Payload whole(const Buffer& buffer, ByteSpan body) {
    Payload payload;
    payload.body = body;
    payload.buffer = buffer;
    return payload;
}

void append_nal(const Buffer& buffer, ByteSpan nal, std::size_t largest, std::vector<Payload>& into) {
    if (nal.size() <= largest) {
        into.push_back(whole(buffer, nal));
        return;
    }
    split(nal.subspan(1), largest - 2, [&](ByteSpan part, bool first, bool last) {
        auto payload = whole(buffer, part);
        payload.prefix[0] = static_cast<std::uint8_t>((nal[0] & 0xe0) | fu_a_type);
        payload.prefix[1] = static_cast<std::uint8_t>((first ? 0x80 : 0) | (last ? 0x40 : 0) | (nal[0] & 0x1f));
        payload.prefix_size = 2;
        into.push_back(std::move(payload));
    });
}

}  // namespace

void H264Packetiser::config(ByteSpan avcc) {
    sets_.clear();
    const auto config = h264::parse_avcc(avcc);
    std::vector<ByteSpan> sets(config.sps);
    sets.insert(sets.end(), config.pps.begin(), config.pps.end());
    std::size_t size = 1;
    for (const auto& nal : sets) size += 2 + nal.size();
    const auto buffer = context_.buffer(size);
    auto* at = buffer.data();
    *at++ = static_cast<std::uint8_t>(0x60 | stap_a_type);
    std::vector<ByteSpan> placed;
    for (const auto& nal : sets) {
        at = put16(at, static_cast<std::uint16_t>(nal.size()));
        if (!nal.empty()) std::memcpy(at, nal.data(), nal.size());
        placed.emplace_back(at, nal.size());
        at += nal.size();
    }
    if (size <= largest_) {
        sets_.push_back(whole(buffer, {buffer.data(), size}));
    } else {
        for (const auto& nal : placed)
            if (!nal.empty()) append_nal(buffer, nal, largest_, sets_);
    }
}

void H264Packetiser::packetise(const td_packet& packet, std::vector<Payload>& into) {
    const auto buffer = Buffer::share(context_.host(), packet.buffer);
    const ByteSpan unit(packet.data, packet.data_size);
    const auto before = into.size();
    if ((packet.flags & TD_PACKET_KEY) != 0 && h264::parameter_sets_place(unit))
        into.insert(into.end(), sets_.begin(), sets_.end());
    h264::for_each_nal(unit, 4, [&](ByteSpan nal) {
        if (h264::nal_type(nal) != h264::nal_aud) append_nal(buffer, nal, largest_, into);
    });
    if (into.size() > before) into.back().marker = true;
}

void Vp8Packetiser::packetise(const td_packet& packet, std::vector<Payload>& into) {
    const auto buffer = Buffer::share(context_.host(), packet.buffer);
    split({packet.data, packet.data_size}, largest_ - 4, [&](ByteSpan part, bool first, bool last) {
        auto payload = whole(buffer, part);
        payload.prefix = {static_cast<std::uint8_t>(first ? 0x90 : 0x80), 0x80,
                          static_cast<std::uint8_t>(0x80 | picture_ >> 8), static_cast<std::uint8_t>(picture_ & 0xff)};
        payload.prefix_size = 4;
        payload.marker = last;
        into.push_back(std::move(payload));
    });
    picture_ = (picture_ + 1) & 0x7fff;
}

void AudioPacketiser::packetise(const td_packet& packet, std::vector<Payload>& into) {
    const ByteSpan bytes(packet.data, packet.data_size);
    const auto buffer = Buffer::share(context_.host(), packet.buffer);
    split(bytes, may_split_ ? largest_ : std::max<std::size_t>(bytes.size(), 1), [&](ByteSpan part, bool, bool) {
        auto payload = whole(buffer, part);
        payload.ticks = static_cast<std::uint32_t>(part.data() - bytes.data());
        into.push_back(std::move(payload));
    });
}

}  // namespace tapedeck::rtp
