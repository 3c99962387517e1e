#include "mpegts/sound.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tapedeck/media/aac.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr std::size_t loas_header = 3;
constexpr std::size_t longest_frame = 16384;  // what 13 bits of ADTS and LOAS say, and more

}  // namespace

std::optional<SoundHeader> parse_adts(ByteSpan bytes) {
    if (bytes.size() < 7 || bytes[0] != 0xff || (bytes[1] & 0xf6) != 0xf0) return std::nullopt;
    const bool has_crc = (bytes[1] & 1) == 0;
    const std::size_t rate = bytes[2] >> 2 & 15;
    SoundHeader header;
    header.size = (bytes[3] & 3u) << 11 | static_cast<unsigned>(bytes[4] << 3) | bytes[5] >> 5;
    header.skipped = has_crc ? 9 : 7;
    header.codec = TD_CODEC_AAC;
    header.object_type = (bytes[2] >> 6) + 1u;
    header.channels = static_cast<std::uint32_t>((bytes[2] & 1) << 2 | bytes[3] >> 6);
    if (header.channels == 7) header.channels = 8;
    header.samples = 1024;
    const bool is_one_block = (bytes[6] & 3) == 0;
    if (rate >= aac::sample_rates.size() || header.size <= header.skipped || !is_one_block) return std::nullopt;
    header.sample_rate = aac::sample_rates[rate];
    return header;
}

std::optional<SoundHeader> parse_mpeg_audio(ByteSpan bytes) {
    if (bytes.size() < 4 || bytes[0] != 0xff || (bytes[1] & 0xe0) != 0xe0) return std::nullopt;
    constexpr std::array<std::uint32_t, 3> rates{44100, 48000, 32000};
    constexpr std::array<std::uint16_t, 15> layer2{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384};
    constexpr std::array<std::uint16_t, 15> layer3{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    constexpr std::array<std::uint16_t, 15> half{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
    const unsigned version = bytes[1] >> 3 & 3,
                   layer = bytes[1] >> 1 & 3;  // 3: MPEG-1, 2: MPEG-2, 0: 2.5; 2: II, 1: III
    const std::size_t bitrate = bytes[2] >> 4, rate = bytes[2] >> 2 & 3;
    if (version == 1 || (layer != 1 && layer != 2) || bitrate == 0 || bitrate == 15 || rate == 3) return std::nullopt;
    const bool is_first = version == 3;
    SoundHeader header;
    header.codec = layer == 2 ? TD_CODEC_MP2 : TD_CODEC_MP3;
    header.sample_rate = rates[rate] >> (is_first ? 0 : version == 2 ? 1 : 2);
    header.channels = (bytes[3] >> 6) == 3 ? 1 : 2;
    header.samples = layer == 1 && !is_first ? 576 : 1152;
    const std::uint32_t kilobits = !is_first ? half[bitrate] : layer == 2 ? layer2[bitrate] : layer3[bitrate];
    header.size = header.samples / 8 * kilobits * 1000 / header.sample_rate + (bytes[2] >> 1 & 1);
    return header;
}

std::optional<SoundHeader> parse_ac3(ByteSpan bytes) {
    if (bytes.size() < 8 || bytes[0] != 0x0b || bytes[1] != 0x77) return std::nullopt;
    constexpr std::array<std::uint32_t, 3> rates{48000, 44100, 32000};
    constexpr std::array<std::uint32_t, 19> kilobits{32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                                     192, 224, 256, 320, 384, 448, 512, 576, 640};
    constexpr std::array<std::uint32_t, 8> front{2, 1, 2, 3, 3, 4, 4, 5};
    BitReader bits(bytes.subspan(4));
    const auto rate = bits.bits(2), size = bits.bits(6), bsid = bits.bits(5);
    bits.bits(3);
    const auto mode = bits.bits(3);
    if (rate > 2 || size >= 2 * kilobits.size() || bsid > 8) return std::nullopt;
    if ((mode & 1) != 0 && mode != 1) bits.bits(2);  // cmixlev
    if ((mode & 4) != 0) bits.bits(2);               // surmixlev
    if (mode == 2) bits.bits(2);                     // dsurmod
    SoundHeader header;
    header.codec = TD_CODEC_AC3;
    header.sample_rate = rates[rate];
    header.channels = front[mode] + bits.bits(1);
    header.samples = 1536;
    header.size = std::size_t{1536} / 16 * kilobits[size / 2] * 1000 / header.sample_rate * 2;
    if (header.sample_rate == 44100) header.size += 2 * (size & 1);
    return header;
}

SoundReader::SoundReader(std::uint32_t track, Coding coding)
    : coding_(coding), track_(TD_AUDIO, TD_CODEC_AAC, {1, 90'000}, track) {}

std::optional<SoundHeader> SoundReader::parse(ByteSpan bytes) const {
    switch (coding_) {
        case Coding::adts:
            return parse_adts(bytes);
        case Coding::mpeg_audio:
            return parse_mpeg_audio(bytes);
        case Coding::ac3:
            return parse_ac3(bytes);
        default:
            break;
    }
    if (bytes.size() < loas_header || bytes[0] != 0x56 || (bytes[1] & 0xe0) != 0xe0) return std::nullopt;
    SoundHeader element;  // section 1.7.2: AudioSyncStream
    element.size = loas_header + ((bytes[1] & 0x1fu) << 8 | bytes[2]);
    element.skipped = loas_header;
    return element;
}

void SoundReader::lose() {
    rest_.clear();
    base_.reset();
    gap_ = true;
}

void SoundReader::push(ByteSpan payload, std::optional<std::int64_t> pts, MediaOut& out) {
    const auto fresh_at = rest_.size();
    ByteSpan bytes = payload;
    if (fresh_at != 0) {
        rest_.insert(rest_.end(), payload.begin(), payload.end());
        bytes = rest_;
    }
    const auto used = take(bytes, fresh_at, pts, out);
    Bytes left(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
    rest_ = std::move(left);
}

/// Gives all whole frames; how many bytes are done with.
std::size_t SoundReader::take(ByteSpan bytes, std::size_t fresh_at, std::optional<std::int64_t>& pts, MediaOut& out) {
    std::size_t at = 0;
    while (bytes.size() - at >= sound_header_size) {
        const auto header = parse(bytes.subspan(at));
        if (!header || header->size > longest_frame) {
            gap_ = true;
            ++at;
            continue;
        }
        if (header->size > bytes.size() - at) break;
        // What looks like a header inside of a frame is not followed by another one.
        const auto next = bytes.subspan(at + header->size);
        if (gap_ && next.size() >= sound_header_size && !parse(next)) {
            ++at;
            continue;
        }
        if (at >= fresh_at) set_time(pts);
        const auto frame = bytes.subspan(at + header->skipped, header->size - header->skipped);
        if (coding_ == Coding::latm) {
            latm(frame, out);
        } else {
            describe(*header, out);
            if (announced_) give(frame, header->samples, header->sample_rate, out);
        }
        at += header->size;
    }
    if (at >= fresh_at && at < bytes.size()) set_time(pts);  // of the frame that has begun
    return at;
}

void SoundReader::set_time(std::optional<std::int64_t>& pts) {
    if (!pts) return;
    base_ = std::exchange(pts, std::nullopt);
    samples_since_ = 0;
}

void SoundReader::latm(ByteSpan element, MediaOut& out) {
    try {
        const auto& frames = latm_.read(element);
        if (frames.empty()) return;
        if (!announced_ || !std::ranges::equal(track_.config(), latm_.config())) {
            const auto config = aac::parse_config(latm_.config());
            track_.config(latm_.config());
            track_.track.sample_rate = config.output_rate;
            track_.track.channels = config.ps && config.channels == 1 ? 2 : config.channels;
            latm_samples_ = config.samples_per_frame;
            latm_rate_ = config.sample_rate;
            announced_ = true;
            problem_.clear();
            out.track(track_);
        }
        for (const auto& frame : frames) give(frame, latm_samples_, latm_rate_, out);
    } catch (const Malformed& e) {
        problem_ = e.what();
        gap_ = true;
    }
}

void SoundReader::describe(const SoundHeader& header, MediaOut& out) {
    const bool is_same = header.codec == described_.codec && header.object_type == described_.object_type &&
                         header.sample_rate == described_.sample_rate && header.channels == described_.channels;
    if (is_same) return;
    described_ = header;
    announced_ = header.channels != 0;
    if (!announced_) {
        problem_ = "its sound has its channels in a program config element";
        return;
    }
    track_.track.codec = header.codec;
    track_.track.sample_rate = header.sample_rate;
    track_.track.channels = header.channels;
    if (header.codec == TD_CODEC_AAC)
        track_.config(aac::build_config(header.object_type, header.sample_rate, header.channels));
    problem_.clear();
    out.track(track_);
}

void SoundReader::give(ByteSpan payload, std::uint32_t samples, std::uint32_t rate, MediaOut& out) {
    if (!base_ || rate == 0 || payload.empty()) return;  // before the first time
    const auto time = *base_ + static_cast<std::int64_t>(samples_since_ * 90'000 / rate);
    samples_since_ += samples;
    auto* const place = out.room(payload.size());
    std::memcpy(place, payload.data(), payload.size());
    const std::uint32_t gap = std::exchange(gap_, false) ? std::uint32_t{TD_PACKET_DISCONTINUITY} : 0u;
    out.unit({track_.track.index, TD_PACKET_KEY | gap, time, time}, {place, payload.size()});
}

}  // namespace tapedeck::mpegts
