#include "rtp/aac_depacketiser.hpp"

#include <charconv>
#include <cstring>

namespace tapedeck::rtp {

namespace {

constexpr std::size_t largest_unit = 16 * 1024, most_units = 64;

unsigned bits_of(const sdp::Codec& codec, std::string_view name) {
    const auto text = codec.parameter(name).value_or("0");
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > 32)
        throw Malformed("AAC in RTP: " + std::string(name) + "=" + std::string(text));
    return value;
}

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        std::uint8_t byte = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
        if (error != std::errc() || end != text.data() + at + 2) break;
        bytes.push_back(byte);
    }
    if (bytes.empty() || bytes.size() * 2 != text.size())
        throw Malformed("AAC in RTP: config=" + std::string(text) + " is no AudioSpecificConfig");
    return bytes;
}

/// A StreamMuxConfig (ISO/IEC 14496-3 section 1.7.3.1) of one layer of AAC-LC, which is sent beside the stream.
AacFormat latm_format(const sdp::Codec& codec) {
    if (codec.parameter("cpresent").value_or("1") != "0") throw Malformed("LATM: its config is in the stream");
    const auto bytes = from_hex(codec.parameter("config").value_or(""));
    BitReader bits(bytes);
    const bool has_version = bits.flag(), same_framing = bits.flag();
    AacFormat format;
    format.latm_units = bits.bits(6) + 1;
    if (has_version || !same_framing || bits.bits(4) != 0 || bits.bits(3) != 0)
        throw Malformed("LATM: several programs or layers");
    const auto object_type = bits.bits(5), index = bits.bits(4);
    if (object_type != 2 || index >= aac::sample_rates.size()) throw Malformed("LATM: another kind than AAC-LC");
    const auto channels = bits.bits(4);
    if (channels == 0 || channels > 7) throw Malformed("LATM: channels of a program config");
    format.config = aac::build_config(object_type, aac::sample_rates[index], channels == 7 ? 8 : channels);
    return format;
}

}  // namespace

AacFormat AacFormat::parse(const sdp::Codec& codec) {
    if (codec.is("MP4A-LATM")) return latm_format(codec);
    AacFormat format;
    format.config = from_hex(codec.parameter("config").value_or(""));
    format.size_bits = bits_of(codec, "sizelength");
    format.index_bits = bits_of(codec, "indexlength");
    format.index_delta_bits = bits_of(codec, "indexdeltalength");
    for (const auto* more : {"ctsdeltalength", "dtsdeltalength", "randomaccessindication", "streamstateindication",
                             "auxiliarydatasizelength"})
        if (bits_of(codec, more) != 0) throw Malformed(std::string("AAC in RTP: ") + more + " is not known here");
    if (format.size_bits == 0) throw Malformed("AAC in RTP: access units without their sizes");
    return format;
}

AacDepacketiser::AacDepacketiser(Context context, std::uint32_t track, std::uint32_t clock, const AacFormat& format)
    : context_(context), format_(format), track_(TD_AUDIO, TD_CODEC_AAC, {1, static_cast<std::int32_t>(clock)}, track) {
    const auto config = aac::parse_config(format.config);
    track_.track.clock = track;
    track_.track.sample_rate = config.output_rate;
    track_.track.channels = config.ps ? 2 : config.channels;
    track_.config(format.config);
    unit_ticks_ = std::int64_t{config.samples_per_frame} * clock / config.sample_rate;
}

void AacDepacketiser::push(const Received& received, MediaOut& out) {
    if (received.lost != 0) {
        gap_ = true;
        fragment_.clear();
    }
    if (received.packet.payload.empty()) return;
    try {
        format_.latm_units != 0 ? latm(received, out) : units(received, out);
    } catch (const Malformed&) {
        ++malformed_;
        gap_ = true;
        fragment_.clear();
    }
}

/// Section 3.2.1: the AU headers in front, then the access units.
void AacDepacketiser::units(const Received& received, MediaOut& out) {
    ByteReader reader(received.packet.payload);
    const std::size_t header_bits = reader.u16();
    const auto headers = reader.take((header_bits + 7) / 8);
    BitReader bits(headers);
    const auto pts = clock_(received.packet.timestamp);
    const auto clock = track_.track.time_base.den;
    std::size_t used = 0;
    for (std::size_t count = 0; used < header_bits; ++count) {
        if (count == most_units) throw Malformed("AAC in RTP: over 64 access units in a packet");
        const std::size_t size = bits.bits(format_.size_bits);
        const auto index_bits = count == 0 ? format_.index_bits : format_.index_delta_bits;
        if (bits.bits(index_bits) != 0) throw Malformed("AAC in RTP: interleaved access units");
        used += format_.size_bits + index_bits;
        if (count == 0 && size > reader.left()) return fragment(received, size, reader.rest(), out);
        fragment_.clear();
        const auto offset = static_cast<std::int64_t>(count) * unit_ticks_;
        const auto wallclock_us =
            received.wallclock_us == TD_NO_TIME ? TD_NO_TIME : received.wallclock_us + offset * 1'000'000 / clock;
        give(pts + offset, wallclock_us, received.buffer, reader.take(size), out);
    }
}

/// AudioMuxElements without their config: sizes and access units by turns. One in several packets ends at the marker.
void AacDepacketiser::latm(const Received& received, MediaOut& out) {
    const auto pts = clock_(received.packet.timestamp);
    if (!fragment_.empty() && fragment_pts_ != pts) {
        fragment_.clear();
        gap_ = true;
    }
    fragment_pts_ = pts;
    auto buffer = received.buffer;
    auto bytes = received.packet.payload;
    if (!received.packet.marker || !fragment_.empty()) {
        fragment_.insert(fragment_.end(), bytes.begin(), bytes.end());
        if (fragment_.size() > largest_unit) throw Malformed("LATM: a frame beyond 16 KiB");
        if (!received.packet.marker) return;
        buffer = context_.buffer(fragment_.size());
        std::memcpy(buffer.data(), fragment_.data(), fragment_.size());
        bytes = {buffer.data(), fragment_.size()};
        fragment_.clear();
    }
    ByteReader reader(bytes);
    for (std::int64_t count = 0; !reader.empty(); ++count) {
        std::size_t size = 0;
        for (std::uint8_t more = 255; more == 255; size += more) more = reader.u8();
        const auto offset = count * unit_ticks_;
        const auto wallclock_us = received.wallclock_us == TD_NO_TIME
                                      ? TD_NO_TIME
                                      : received.wallclock_us + offset * 1'000'000 / track_.track.time_base.den;
        give(pts + offset, wallclock_us, buffer, reader.take(size), out);
    }
}

/// A part of one access unit; each part has its whole size in front, and its time.
void AacDepacketiser::fragment(const Received& received, std::size_t size, ByteSpan bytes, MediaOut& out) {
    if (size > largest_unit) throw Malformed("AAC in RTP: an access unit of " + std::to_string(size) + " bytes");
    const auto pts = clock_.last();
    if (!fragment_.empty() && fragment_pts_ != pts) {
        fragment_.clear();
        gap_ = true;
    }
    fragment_pts_ = pts;
    fragment_.insert(fragment_.end(), bytes.begin(), bytes.end());
    if (fragment_.size() > size) throw Malformed("AAC in RTP: the parts of an access unit are more than it");
    if (fragment_.size() < size) return;
    const auto buffer = context_.buffer(size);
    std::memcpy(buffer.data(), fragment_.data(), size);
    fragment_.clear();
    give(pts, received.wallclock_us, buffer, {buffer.data(), size}, out);
}

void AacDepacketiser::give(std::int64_t pts, std::int64_t wallclock_us, const Buffer& buffer, ByteSpan bytes,
                           MediaOut& out) {
    if (bytes.empty()) return;
    if (!announced_) {
        announced_ = true;
        gap_ = false;
        out.track(track_);
    }
    const auto flags = media_flags(true, gap_);
    gap_ = false;
    out.packet(media_packet(track_.track.index, flags, pts, wallclock_us, buffer, bytes));
}

}  // namespace tapedeck::rtp
