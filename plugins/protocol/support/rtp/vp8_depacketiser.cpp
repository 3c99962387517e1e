#include "rtp/vp8_depacketiser.hpp"

#include <cstring>
#include <utility>

namespace tapedeck::rtp {

Vp8Descriptor parse_vp8(ByteSpan bytes) {
    ByteReader reader(bytes);
    Vp8Descriptor descriptor;
    const auto first = reader.u8();
    descriptor.reference = (first & 0x20) == 0;
    descriptor.start = (first & 0x10) != 0;
    descriptor.partition = first & 7;
    if ((first & 0x80) != 0) {
        const auto present = reader.u8();
        if ((present & 0x80) != 0) {
            std::uint16_t picture = reader.u8();
            descriptor.is_long_picture = (picture & 0x80) != 0;
            if (descriptor.is_long_picture) picture = static_cast<std::uint16_t>((picture & 0x7f) << 8 | reader.u8());
            descriptor.picture = picture;
        }
        if ((present & 0x40) != 0) descriptor.tl0_picture = reader.u8();
        if ((present & 0x30) != 0) {
            const auto layer = reader.u8();
            if ((present & 0x20) != 0) descriptor.temporal_layer = static_cast<std::uint8_t>(layer >> 6);
            if ((present & 0x10) != 0) descriptor.key_index = static_cast<std::uint8_t>(layer & 0x1f);
        }
    }
    descriptor.payload = reader.rest();
    if (descriptor.payload.empty()) throw Malformed("VP8: a descriptor without payload");
    return descriptor;
}

Vp8Depacketiser::Vp8Depacketiser(Context context, std::uint32_t track)
    : context_(context), track_(TD_VIDEO, TD_CODEC_VP8, {1, 90'000}, track) {
    track_.track.clock = track;
}

void Vp8Depacketiser::push(const Received& received, MediaOut& out) {
    if (received.lost != 0) {
        maybe_lost_ = true;
        if (begun_) {
            drop_frame();
            discontinuity_ = wants_key_ = true;
        }
    }
    const auto& packet = received.packet;
    if (packet.payload.empty()) return;
    const auto timestamp = clock_(packet.timestamp);
    if (begun_ && timestamp != frame_.timestamp) end_frame(out);
    try {
        const auto descriptor = parse_vp8(packet.payload);
        const bool first = descriptor.start && descriptor.partition == 0;
        if (first && begun_) end_frame(out);
        if (!begun_) {
            begin_frame(descriptor, first);
            frame_.timestamp = timestamp;
            frame_.wallclock_us = received.wallclock_us;
        }
        if (!broken_) broken_ = !frame_.add(received.buffer, descriptor.payload);
    } catch (const Malformed&) {
        ++malformed_;
        begun_ = broken_ = true;
        frame_.timestamp = timestamp;
    }
    if (packet.marker) end_frame(out);
}

void Vp8Depacketiser::begin_frame(const Vp8Descriptor& descriptor, bool is_first) {
    begun_ = true;
    broken_ = !is_first;
    const auto before = std::exchange(picture_, descriptor.is_long_picture ? descriptor.picture : std::nullopt);
    const bool follows = before && picture_ && *picture_ == ((*before + 1) & 0x7fff);
    if (std::exchange(maybe_lost_, false) && !follows) discontinuity_ = wants_key_ = true;
}

void Vp8Depacketiser::end_frame(MediaOut& out) {
    if (broken_ || frame_.empty()) {
        discontinuity_ = wants_key_ = true;
        return drop_frame();
    }
    Buffer buffer = frame_.pieces().front().buffer;
    ByteSpan bytes = frame_.pieces().front().bytes;
    if (frame_.pieces().size() > 1) {
        buffer = context_.buffer(frame_.size());
        auto* at = buffer.data();
        for (const auto& piece : frame_.pieces()) {
            std::memcpy(at, piece.bytes.data(), piece.bytes.size());
            at += piece.bytes.size();
        }
        bytes = {buffer.data(), frame_.size()};
    }
    const bool key = (bytes[0] & 1) == 0;
    if (key && !announce(bytes, out)) {
        ++malformed_;
        discontinuity_ = wants_key_ = true;
        return drop_frame();
    }
    if (key) wants_key_ = false;
    if (announced_) {
        const auto flags = media_flags(key, discontinuity_);
        out.packet(media_packet(track_.track.index, flags, frame_.timestamp, frame_.wallclock_us, buffer, bytes));
        discontinuity_ = false;
    }
    drop_frame();
}

void Vp8Depacketiser::drop_frame() {
    frame_.clear();
    begun_ = broken_ = false;
}

/// False when this is no key frame after all.
bool Vp8Depacketiser::announce(ByteSpan frame, MediaOut& out) {
    if (frame.size() < 10 || frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a) return false;
    const std::uint32_t width = (frame[6] | frame[7] << 8) & 0x3fff, height = (frame[8] | frame[9] << 8) & 0x3fff;
    if (announced_ && width == track_.track.width && height == track_.track.height) return true;
    track_.track.width = width;
    track_.track.height = height;
    announced_ = true;
    out.track(track_);
    return true;
}

}  // namespace tapedeck::rtp
