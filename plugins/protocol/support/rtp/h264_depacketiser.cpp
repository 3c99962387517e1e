#include "rtp/h264_depacketiser.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/wire.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::rtp {

namespace {

enum : std::uint8_t { stap_a = 24, fu_a = 28 };

constexpr std::size_t largest_set = 4096, largest_sets = 64 * 1024;  // of one, of all that are known

bool is_slice(std::uint8_t type) {
    return type >= h264::nal_slice && type <= h264::nal_idr;
}

/// What says nothing of the picture: delimiters, ends of sequence, filler, and types that are not assigned.
bool is_left_out(std::uint8_t type) {
    return type == 0 || (type >= h264::nal_aud && type <= 12) || type > 23;
}

/// The id of a SPS or PPS, whose first bytes are free of emulation prevention as far as they are read.
std::uint32_t set_id(ByteSpan nal) {
    BitReader bits(nal.subspan(1));
    if (h264::nal_type(nal) == h264::nal_sps) bits.bits(24);
    const auto id = bits.golomb();
    if (id > (h264::nal_type(nal) == h264::nal_sps ? 31u : 255u)) throw Malformed("H.264: a parameter set's id");
    return id;
}

}  // namespace

H264Depacketiser::H264Depacketiser(Context context, std::uint32_t track)
    : context_(context), track_(TD_VIDEO, TD_CODEC_H264, {1, 90'000}, track) {
    track_.track.clock = track;
}

void H264Depacketiser::parameter_set(ByteSpan nal) {
    if (nal.size() < 2 || nal.size() > largest_set) throw Malformed("H.264: the size of a parameter set");
    const bool is_sps = h264::nal_type(nal) == h264::nal_sps;
    if (!is_sps && h264::nal_type(nal) != h264::nal_pps) throw Malformed("H.264: no parameter set");
    const auto id = set_id(nal);
    if (is_sps) h264::parse_sps(nal);
    auto& kept = is_sps ? sps_[id] : pps_[id];
    if (is_sps && last_sps_ != id) {
        last_sps_ = id;
        sets_changed_ = true;
    }
    if (std::equal(kept.begin(), kept.end(), nal.begin(), nal.end())) return;
    std::size_t size = nal.size() - std::min(nal.size(), kept.size());
    for (const auto* sets : {&sps_, &pps_})
        for (const auto& [other, set] : *sets) size += set.size();
    if (size > largest_sets) throw Malformed("H.264: so many parameter sets");
    kept.assign(nal.begin(), nal.end());
    sets_changed_ = true;
}

void H264Depacketiser::push(const Received& received, MediaOut& out) {
    if (received.lost != 0) {
        drop_picture();
        discontinuity_ = wants_key_ = after_hole_ = true;
    }
    const auto& packet = received.packet;
    if (packet.payload.empty()) return;
    const auto timestamp = clock_(packet.timestamp);
    if (begun_ && timestamp != picture_.timestamp) end_picture(out);
    if (!begun_) {
        begun_ = true;
        picture_.timestamp = timestamp;
        picture_.wallclock_us = received.wallclock_us;
    }
    if (!broken_) {
        try {
            payload(received);
        } catch (const Malformed&) {
            ++malformed_;
            broken_ = true;
        }
    }
    // Some senders put a marker on every NAL unit, or on parameter sets: a picture has a slice.
    if (packet.marker && trusts_marker_ && (has_slice_ || broken_) && !nal_open_) {
        end_picture(out);
        given_ = timestamp;
    }
}

void H264Depacketiser::payload(const Received& received) {
    const auto bytes = received.packet.payload;
    const auto type = h264::nal_type(bytes);
    if (type == fu_a) return fragment(received.buffer, bytes);
    end_nal();
    if (type != stap_a) {
        if (type > 23) throw Malformed("H.264: a packet of interleaved mode");
        return whole_nal(received.buffer, bytes);
    }
    ByteReader reader(bytes.subspan(1));
    while (!reader.empty()) {
        const auto nal = reader.take(reader.u16());
        if (!nal.empty()) whole_nal(received.buffer, nal);
    }
}

void H264Depacketiser::whole_nal(const Buffer& buffer, ByteSpan nal) {
    if (is_left_out(h264::nal_type(nal))) return;
    begin_nal(nal[0], nal.subspan(1));
    add(buffer, nal.subspan(1));
    end_nal();
}

void H264Depacketiser::fragment(const Buffer& buffer, ByteSpan payload) {
    ByteReader reader(payload);
    const auto indicator = reader.u8(), fu = reader.u8();
    const auto header = static_cast<std::uint8_t>((indicator & 0xe0) | (fu & 0x1f));
    if ((fu & 0x80) != 0) {
        end_nal();  // one whose end bit was not set, with nothing missing
        if (is_left_out(fu & 0x1f)) throw Malformed("H.264: a fragment of no NAL unit");
        begin_nal(header, reader.rest());
    } else if (!nal_open_ || (nals_.back().header & 0x1f) != (fu & 0x1f)) {
        throw Malformed("H.264: a fragment without its start");
    }
    add(buffer, reader.rest());
    if ((fu & 0x40) != 0) end_nal();
}

/// Looks at what begins here; `body` follows the header.
void H264Depacketiser::begin_nal(std::uint8_t header, ByteSpan body) {
    const std::uint8_t type = header & 0x1f;
    if (is_slice(type)) {
        const bool first_slice = !body.empty() && (body[0] & 0x80) != 0;  // first_mb_in_slice is 0
        if (!has_slice_ && !first_slice && type != 3 && type != 4) {
            if (given_ == picture_.timestamp && trusts_marker_ && !after_hole_) {
                trusts_marker_ = false;  // the picture was given without this slice
                discontinuity_ = wants_key_ = true;
            }
            throw Malformed("H.264: a picture without its first slice");
        }
        // Parameter sets that changed may have been in the hole.
        if (!has_slice_ && after_hole_ && type == h264::nal_idr && in_band_ && !has_sps_)
            throw Malformed("H.264: a key picture that lost its parameter sets");
        has_slice_ = true;
        has_idr_ = has_idr_ || type == h264::nal_idr;
    }
    nals_.push_back({header, picture_.pieces().size(), 0, 1});
    nal_open_ = true;
}

void H264Depacketiser::add(const Buffer& buffer, ByteSpan body) {
    if (!picture_.add(buffer, body)) throw Malformed("H.264: a picture too large");
    ++nals_.back().pieces;
    nals_.back().size += body.size();
}

void H264Depacketiser::end_nal() {
    if (!nal_open_) return;
    nal_open_ = false;
    const auto& nal = nals_.back();
    const std::uint8_t type = nal.header & 0x1f;
    if (type != h264::nal_sps && type != h264::nal_pps) return;
    in_band_ = true;
    has_sps_ = has_sps_ || type == h264::nal_sps;
    Bytes whole{nal.header};
    for (std::size_t i = 0; i < nal.pieces; ++i) {
        const auto& bytes = picture_.pieces()[nal.first_piece + i].bytes;
        whole.insert(whole.end(), bytes.begin(), bytes.end());
    }
    parameter_set(whole);
}

void H264Depacketiser::end_picture(MediaOut& out) {
    try {
        if (!broken_) end_nal();
    } catch (const Malformed&) {
        ++malformed_;
        broken_ = true;
    }
    if (broken_) {
        discontinuity_ = wants_key_ = true;
    } else if (has_slice_ && announce(out)) {
        const auto size = picture_.size() + nals_.size() * 5;
        const auto buffer = context_.buffer(size);
        auto* at = buffer.data();
        for (const auto& nal : nals_) {
            at = put32(at, static_cast<std::uint32_t>(nal.size));
            *at++ = nal.header;
            for (std::size_t i = 0; i < nal.pieces; ++i) {
                const auto& bytes = picture_.pieces()[nal.first_piece + i].bytes;
                if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
                at += bytes.size();
            }
        }
        if (has_idr_) wants_key_ = false;
        const auto flags = media_flags(has_idr_, discontinuity_);
        auto packet = media_packet(track_.track.index, flags, picture_.timestamp, picture_.wallclock_us, buffer,
                                   {buffer.data(), size});
        const auto dts = decode_times_(picture_.timestamp);
        if (decode_times_.depth() != 0) packet.dts = dts;
        out.packet(packet);
        discontinuity_ = false;
    }
    drop_picture();
    after_hole_ = false;
}

void H264Depacketiser::drop_picture() {
    picture_.clear();
    nals_.clear();
    broken_ = nal_open_ = begun_ = has_slice_ = has_idr_ = has_sps_ = false;
}

/// False when the parameter sets are not known yet.
bool H264Depacketiser::announce(MediaOut& out) {
    if (sps_.empty() || pps_.empty()) return false;
    if (!sets_changed_) return announced_;
    sets_changed_ = false;
    // The one in use comes first, as the record's profile is its profile.
    std::vector<ByteSpan> sps{sps_.at(last_sps_)}, pps;
    for (const auto& [id, nal] : sps_)
        if (id != last_sps_ && sps.size() < 31) sps.emplace_back(nal);
    for (const auto& [id, nal] : pps_)
        if (pps.size() < 255) pps.emplace_back(nal);
    const auto avcc = h264::build_avcc(sps, pps);
    if (announced_ && std::ranges::equal(avcc, track_.config())) return true;
    const auto read = h264::parse_sps(sps[0]);
    track_.track.width = read.width;
    track_.track.height = read.height;
    decode_times_.depth(read.reorder.value_or(decode_times_.depth()));
    track_.config(avcc);
    announced_ = true;
    out.track(track_);
    return true;
}

}  // namespace tapedeck::rtp
