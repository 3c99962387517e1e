#include "rtp/h265_depacketiser.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/wire.hpp"
#include "tapedeck/media/h265.hpp"

namespace tapedeck::rtp {

namespace {

enum : std::uint8_t { rasl_n = 8, rasl_r = 9, type_ap = 48, type_fu = 49 };

constexpr std::size_t largest_h265_set = 4096, most_h265_sets = 32;  // of one kind

bool is_set(std::uint8_t type) {
    return type >= h265::nal_vps && type <= h265::nal_pps;
}

/// The id of a parameter set.
std::uint32_t h265_set_id(ByteSpan nal) {
    const auto payload = h264::detail::payload(nal.subspan(1));
    BitReader bits(payload);
    std::uint32_t id = 0;
    switch (h265::nal_type(nal)) {
        case h265::nal_vps:
            return bits.bits(4);
        case h265::nal_pps:
            id = bits.golomb();
            break;
        default: {
            bits.bits(4);
            const auto sub_layers = bits.bits(3) + 1;
            bits.bits(1);
            h265::detail::skip_bits(bits, 96);
            h265::detail::skip_sub_layers(bits, sub_layers);
            id = bits.golomb();
        }
    }
    if (id > 63) throw Malformed("H.265: a parameter set's id");
    return id;
}

}  // namespace

H265Depacketiser::H265Depacketiser(Context context, std::uint32_t track)
    : context_(context), track_(TD_VIDEO, TD_CODEC_H265, {1, 90'000}, track) {
    track_.track.clock = track;
}

void H265Depacketiser::parameter_set(ByteSpan nal) {
    if (nal.size() < 3 || nal.size() > largest_h265_set) throw Malformed("H.265: the size of a parameter set");
    const auto type = h265::nal_type(nal);
    if (!is_set(type)) throw Malformed("H.265: no parameter set");
    if (type == h265::nal_sps) h265::parse_sps(nal);
    const auto id = h265_set_id(nal);
    auto& kind = sets_[type];
    if (!kind.contains(id) && kind.size() == most_h265_sets) throw Malformed("H.265: so many parameter sets");
    auto& kept = kind[id];
    if (std::equal(kept.begin(), kept.end(), nal.begin(), nal.end())) return;
    kept.assign(nal.begin(), nal.end());
    sets_changed_ = true;
}

void H265Depacketiser::push(const Received& received, MediaOut& out) {
    if (received.lost != 0) {
        drop_picture();
        discontinuity_ = wants_key_ = true;
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
    if (packet.marker && trusts_marker_ && (has_slice_ || broken_) && !nal_open_) {
        end_picture(out);
        given_ = timestamp;
    }
}

void H265Depacketiser::payload(const Received& received) {
    const auto bytes = received.packet.payload;
    if (bytes.size() < 3) throw Malformed("H.265: a payload of less than 3 bytes");
    const auto type = h265::nal_type(bytes);
    if (type == type_fu) return fragment(received.buffer, bytes);
    end_nal();
    if (type < type_ap) return whole_nal(received.buffer, bytes);
    if (type != type_ap) throw Malformed("H.265: a payload of type " + std::to_string(type));
    ByteReader reader(bytes.subspan(2));
    while (!reader.empty()) whole_nal(received.buffer, reader.take(reader.u16()));
}

void H265Depacketiser::whole_nal(const Buffer& buffer, ByteSpan nal) {
    if (nal.size() < 2) throw Malformed("H.265: a NAL unit without its header");
    const bool is_layer_0 = (nal[0] & 1) == 0 && nal[1] >> 3 == 0;
    const auto type = h265::nal_type(nal);
    const bool is_wanted =
        h265::is_slice(type) || is_set(type) || type == h265::nal_sei || type == h265::nal_sei_suffix;
    if (!is_layer_0 || !is_wanted) return;  // delimiters, filler, other layers
    begin_nal(static_cast<std::uint16_t>(nal[0] << 8 | nal[1]), nal.subspan(2));
    add(buffer, nal.subspan(2));
    end_nal();
}

void H265Depacketiser::fragment(const Buffer& buffer, ByteSpan payload) {
    ByteReader reader(payload);
    const auto first = reader.u8(), second = reader.u8(), fu = reader.u8();
    const auto header = static_cast<std::uint16_t>((first & 0x81) << 8 | (fu & 0x3f) << 9 | second);
    if ((fu & 0x80) != 0) {
        end_nal();
        begin_nal(header, reader.rest());
    } else if (!nal_open_ || nals_.back().type() != (fu & 0x3f)) {
        throw Malformed("H.265: a fragment without its start");
    }
    add(buffer, reader.rest());
    if ((fu & 0x40) != 0) end_nal();
}

/// Looks at what begins here; `body` follows the header of two bytes.
void H265Depacketiser::begin_nal(std::uint16_t header, ByteSpan body) {
    const auto type = static_cast<std::uint8_t>(header >> 9 & 0x3f);
    if (h265::is_slice(type)) {
        const bool is_first = !body.empty() && (body[0] & 0x80) != 0;  // first_slice_segment_in_pic_flag
        if (!has_slice_ && !is_first) {
            if (given_ == picture_.timestamp && trusts_marker_) {
                trusts_marker_ = false;  // the picture was given without this slice
                discontinuity_ = wants_key_ = true;
            }
            throw Malformed("H.265: a picture without its first slice");
        }
        has_slice_ = true;
        is_key_ = is_key_ || h265::is_random_access(type);
        is_skipped_leading_ = leads_are_lost_ && (type == rasl_n || type == rasl_r);
    }
    nals_.push_back({header, picture_.pieces().size(), 0, 2});
    nal_open_ = true;
}

void H265Depacketiser::add(const Buffer& buffer, ByteSpan body) {
    if (!picture_.add(buffer, body)) throw Malformed("H.265: a picture beyond 8 MB");
    ++nals_.back().pieces;
    nals_.back().size += body.size();
}

void H265Depacketiser::end_nal() {
    if (!nal_open_) return;
    nal_open_ = false;
    const auto& nal = nals_.back();
    if (!is_set(nal.type())) return;
    Bytes whole;
    append_number(whole, nal.header, 2);
    for (std::size_t i = 0; i < nal.pieces; ++i) {
        const auto& bytes = picture_.pieces()[nal.first_piece + i].bytes;
        whole.insert(whole.end(), bytes.begin(), bytes.end());
    }
    parameter_set(whole);
}

void H265Depacketiser::end_picture(MediaOut& out) {
    try {
        if (!broken_) end_nal();
    } catch (const Malformed&) {
        ++malformed_;
        broken_ = true;
    }
    if (broken_)
        discontinuity_ = wants_key_ = true;
    else if (has_slice_ && !is_skipped_leading_ && announce(out))
        give_picture(out);
    drop_picture();
}

void H265Depacketiser::give_picture(MediaOut& out) {
    const auto size = picture_.size() + nals_.size() * 6;
    const auto buffer = context_.buffer(size);
    auto* at = buffer.data();
    for (const auto& nal : nals_) {
        at = put32(at, static_cast<std::uint32_t>(nal.size));
        at = put16(at, nal.header);
        for (std::size_t i = 0; i < nal.pieces; ++i) {
            const auto& bytes = picture_.pieces()[nal.first_piece + i].bytes;
            if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
            at += bytes.size();
        }
    }
    if (is_key_) {
        leads_are_lost_ = wants_key_;
        wants_key_ = false;
    }
    auto packet = media_packet(track_.track.index, media_flags(is_key_, discontinuity_), picture_.timestamp,
                               picture_.wallclock_us, buffer, {buffer.data(), size});
    const auto dts = decode_times_(picture_.timestamp);
    if (decode_times_.depth() != 0) packet.dts = dts;
    out.packet(packet);
    discontinuity_ = false;
}

void H265Depacketiser::drop_picture() {
    picture_.clear();
    nals_.clear();
    broken_ = nal_open_ = begun_ = has_slice_ = is_key_ = is_skipped_leading_ = false;
}

/// False when the parameter sets are not known yet.
bool H265Depacketiser::announce(MediaOut& out) {
    if (sets_.size() < 3) return false;
    if (!sets_changed_) return announced_;
    sets_changed_ = false;
    std::map<std::uint8_t, std::vector<ByteSpan>> all;
    for (const auto& [type, kind] : sets_)
        for (const auto& [id, nal] : kind) all[type].emplace_back(nal);
    const auto hvcc = h265::build_hvcc(all[h265::nal_vps], all[h265::nal_sps], all[h265::nal_pps]);
    if (announced_ && std::ranges::equal(hvcc, track_.config())) return true;
    const auto read = h265::parse_sps(all[h265::nal_sps].front());
    track_.track.width = read.width;
    track_.track.height = read.height;
    decode_times_.depth(read.reorder);
    track_.config(hvcc);
    announced_ = true;
    out.track(track_);
    return true;
}

}  // namespace tapedeck::rtp
