#include "mpegts/picture.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr std::size_t largest_set = 4096, most_sets = 32;  // of a kind
constexpr std::int64_t longest_step = 90'000;

/// Whether a SEI says that decoding from here on is exact at once (ITU-T H.264 section D.1.8).
bool is_recovery_point(ByteSpan nal) {
    try {
        const auto payload = h264::detail::payload(nal);
        ByteReader reader(payload);
        while (reader.left() > 2) {
            std::size_t type = 0, size = 0;
            for (std::uint8_t byte = 255; byte == 255;) type += byte = reader.u8();
            for (std::uint8_t byte = 255; byte == 255;) size += byte = reader.u8();
            const auto message = reader.take(size);
            if (type == 6) return BitReader(message).golomb() == 0;
        }
    } catch (const Malformed&) {
        return false;
    }
    return false;
}

/// Of an H.264 slice's header: whether it needs no other picture.
bool is_intra_slice(ByteSpan nal) {
    try {
        BitReader bits(nal.subspan(1, std::min<std::size_t>(nal.size() - 1, 12)));
        bits.golomb();  // first_mb_in_slice
        const auto type = bits.golomb() % 5;
        return type == 2 || type == 4;
    } catch (const Malformed&) {
        return false;
    }
}

/// A parameter set's own number. What stands before it has no emulation prevention, or is not told from it.
std::uint32_t set_id(ByteSpan nal, std::uint8_t type, bool is_h265) {
    if (!is_h265) {
        BitReader bits(nal.subspan(type == h264::nal_sps ? 4 : 1));
        return bits.golomb();
    }
    BitReader bits(nal.subspan(2));
    if (type == h265::nal_vps) return bits.bits(4);
    return type == h265::nal_pps ? bits.golomb() : 0;  // more than one SPS at a time is not sent
}

}  // namespace

PictureReader::PictureReader(std::uint32_t track, Coding coding)
    : is_h265_(coding == Coding::h265),
      track_(TD_VIDEO, coding == Coding::h265 ? TD_CODEC_H265 : TD_CODEC_H264, {1, 90'000}, track) {}

std::string PictureReader::problem() const {
    if (!fault_.empty()) return fault_;
    return announced_ ? "" : "no key picture with its parameter sets has come";
}

void PictureReader::push(ByteSpan payload, std::int64_t pts, std::int64_t dts, MediaOut& out) {
    if (last_dts_ && dts > *last_dts_ && dts - *last_dts_ < longest_step) step_ = dts - *last_dts_;
    std::int64_t later = 0;  // of a second picture in the packet, which has no time of its own
    const auto delimiter = is_h265_ ? std::uint8_t{h265::nal_aud} : std::uint8_t{h264::nal_aud};
    h264::for_each_nal_annexb(payload, [&](ByteSpan nal) {
        const auto type = is_h265_ ? h265::nal_type(nal) : h264::nal_type(nal);
        if (type == delimiter && picture_.has_slice) {
            give(pts + later, dts + later, out);
            later += step_;
        }
        gather(nal);
    });
    give(pts + later, dts + later, out);
    last_dts_ = dts + later;
}

void PictureReader::gather(ByteSpan nal) {
    try {
        is_h265_ ? gather_h265(nal, h265::nal_type(nal)) : gather_h264(nal, h264::nal_type(nal));
    } catch (const Malformed& e) {
        fault_ = e.what();
        lose();
    }
}

void PictureReader::gather_h264(ByteSpan nal, std::uint8_t type) {
    if (type == h264::nal_sps || type == h264::nal_pps) return keep_set(type, nal);
    if (type == 0 || (type >= h264::nal_aud && type <= 12) || type > 23) return;  // says nothing of the picture
    if (type == h264::nal_sei && is_recovery_point(nal)) picture_.has_recovery_point = true;
    if (type >= h264::nal_slice && type <= h264::nal_idr) {
        if (type == h264::nal_idr) picture_.is_key = picture_.is_closed = true;
        if (!picture_.has_slice && picture_.has_recovery_point && is_intra_slice(nal)) picture_.is_key = true;
        picture_.has_slice = true;
    }
    picture_.nals.push_back(nal);
    picture_.size += 4 + nal.size();
}

void PictureReader::gather_h265(ByteSpan nal, std::uint8_t type) {
    if (type >= h265::nal_vps && type <= h265::nal_pps) return keep_set(type, nal);
    if ((type >= h265::nal_aud && type < h265::nal_sei) || type > h265::nal_sei_suffix) return;
    if (h265::is_slice(type)) {
        if (!picture_.has_slice) {
            picture_.is_key = h265::is_random_access(type);
            picture_.is_closed = type >= 18 && type <= 20;  // IDR, and BLA without leading pictures
        }
        picture_.has_slice = true;
    }
    picture_.nals.push_back(nal);
    picture_.size += 4 + nal.size();
}

void PictureReader::keep_set(std::uint8_t kind, ByteSpan nal) {
    if (nal.size() < 4 || nal.size() > largest_set)
        throw Malformed("a parameter set of " + std::to_string(nal.size()) + " bytes");
    const bool is_sps = kind == (is_h265_ ? std::uint8_t{h265::nal_sps} : std::uint8_t{h264::nal_sps});
    const auto id = set_id(nal, kind, is_h265_);
    auto& sets = sets_[kind];
    if (!sets.contains(id) && sets.size() >= most_sets) throw Malformed("so many parameter sets");
    if (is_sps && std::exchange(used_sps_, id) != id) sets_changed_ = true;
    auto& kept = sets[id];
    if (std::ranges::equal(kept, nal)) return;
    kept.assign(nal.begin(), nal.end());
    sets_changed_ = true;
}

/// Whether the picture cannot be shown without what is missing before it.
bool PictureReader::is_left_out(const Gathered& picture, std::int64_t pts) {
    if (wants_key_) {
        if (!picture.is_key) return true;
        leading_before_.reset();
        if (!picture.is_closed) leading_before_ = pts;
        return false;
    }
    if (picture.is_key) leading_before_.reset();
    return leading_before_ && pts < *leading_before_;
}

/// The picture is over: `picture_` is empty afterwards, as its units lie in the payload.
void PictureReader::give(std::int64_t pts, std::int64_t dts, MediaOut& out) {
    const auto done = std::exchange(picture_, {});
    if (!done.has_slice) return;
    if (is_left_out(done, pts) || !announce(out)) {
        ++dropped_;
        return;
    }
    wants_key_ = false;
    auto* const place = out.room(done.size);
    auto* at = place;
    for (const auto& nal : done.nals) {
        for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(nal.size() >> shift);
        std::memcpy(at, nal.data(), nal.size());
        at += nal.size();
    }
    std::uint32_t flags = done.is_key ? std::uint32_t{TD_PACKET_KEY} : 0u;
    if (std::exchange(gap_, false)) flags |= TD_PACKET_DISCONTINUITY;
    out.unit({track_.track.index, flags, pts, dts}, {place, done.size});
}

/// False when the parameter sets are not known yet.
bool PictureReader::announce(MediaOut& out) {
    if (!sets_changed_) return announced_;
    const auto all = [this](std::uint8_t kind) {
        std::vector<ByteSpan> list;
        for (const auto& [id, set] : sets_[kind]) list.emplace_back(set);
        return list;
    };
    auto sps = all(is_h265_ ? std::uint8_t{h265::nal_sps} : std::uint8_t{h264::nal_sps});
    const auto pps = all(is_h265_ ? std::uint8_t{h265::nal_pps} : std::uint8_t{h264::nal_pps});
    const auto vps = all(h265::nal_vps);
    if (sps.empty() || pps.empty() || (is_h265_ && vps.empty())) return announced_;
    sets_changed_ = false;
    try {
        // The one in use comes first, as the record's profile is its profile.
        const auto& used = sets_[is_h265_ ? std::uint8_t{h265::nal_sps} : std::uint8_t{h264::nal_sps}][used_sps_];
        std::ranges::partition(sps, [&](ByteSpan set) { return set.data() == used.data(); });
        if (sps.size() > 31) sps.resize(31);
        const auto config = is_h265_ ? h265::build_hvcc(vps, sps, pps) : h264::build_avcc(sps, pps);
        if (announced_ && std::ranges::equal(config, track_.config())) return true;
        if (is_h265_) {
            const auto read = h265::parse_sps(sps[0]);
            track_.track.width = read.width, track_.track.height = read.height;
        } else {
            const auto read = h264::parse_sps(sps[0]);
            track_.track.width = read.width, track_.track.height = read.height;
        }
        track_.config(config);
    } catch (const Malformed& e) {
        fault_ = e.what();
        return announced_;
    }
    announced_ = true;
    fault_.clear();
    out.track(track_);
    return true;
}

}  // namespace tapedeck::mpegts
