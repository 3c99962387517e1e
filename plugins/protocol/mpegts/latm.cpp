#include "mpegts/latm.hpp"

#include <utility>

namespace tapedeck::mpegts {
namespace {

std::uint32_t latm_value(BitReader& bits) {  // section 1.7.3: LatmGetValue
    const auto bytes = bits.bits(2) + 1;
    return bits.bits(8 * bytes);
}

std::uint32_t object_type(BitReader& bits) {
    const auto type = bits.bits(5);
    return type == 31 ? 32 + bits.bits(6) : type;
}

void skip_rate(BitReader& bits) {
    if (bits.bits(4) == 15) bits.bits(24);
}

void skip(BitReader& bits, std::size_t count) {
    for (; count > 32; count -= 32) bits.bits(32);
    bits.bits(static_cast<unsigned>(count));
}

/// Past an AudioSpecificConfig without the backward compatible extension, whose end only its contents tell.
void skip_audio_config(BitReader& bits) {
    auto type = object_type(bits);
    skip_rate(bits);
    const auto channels = bits.bits(4);
    if (type == 5 || type == 29) {
        skip_rate(bits);
        type = object_type(bits);
    }
    if (type < 1 || type > 4) throw Malformed("LATM: audio object type " + std::to_string(type));
    if (channels == 0) throw Malformed("LATM: channels in a program config element");
    bits.flag();                     // frameLengthFlag
    if (bits.flag()) bits.bits(14);  // coreCoderDelay
    bits.flag();                     // extensionFlag, of no further bits for these types
}

/// These bits from a byte's first one on; the last byte is filled up with zeros.
Bytes copy_bits(ByteSpan bytes, std::size_t from, std::size_t count) {
    BitReader bits(bytes);
    skip(bits, from);
    Bytes copy;
    copy.reserve((count + 7) / 8);
    for (; count >= 8; count -= 8) copy.push_back(static_cast<std::uint8_t>(bits.bits(8)));
    if (count != 0) copy.push_back(static_cast<std::uint8_t>(bits.bits(static_cast<unsigned>(count)) << (8 - count)));
    return copy;
}

}  // namespace

/// StreamMuxConfig, section 1.7.3.
void LatmReader::read_config(BitReader& bits, ByteSpan element) {
    const auto at = [&] { return element.size() * 8 - bits.left(); };
    const bool is_new = bits.flag();  // audioMuxVersion
    if (is_new && bits.flag()) throw Malformed("LATM: audioMuxVersionA");
    if (is_new) latm_value(bits);  // taraBufferFullness
    if (!bits.flag()) throw Malformed("LATM: streams of different framing");
    const auto frames = bits.bits(6) + 1;
    if (bits.bits(4) != 0 || bits.bits(3) != 0) throw Malformed("LATM: several programs or layers");
    Bytes config;
    if (is_new) {
        const auto length = latm_value(bits);
        if (length > bits.left() || length > 512) throw Malformed("LATM: the length of AudioSpecificConfig");
        config = copy_bits(element, at(), length);
        skip(bits, length);
    } else {
        const auto from = at();
        skip_audio_config(bits);
        config = copy_bits(element, from, at() - from);
    }
    if (bits.bits(3) != 0) throw Malformed("LATM: frames of a fixed length");
    bits.bits(8);  // latmBufferFullness
    std::size_t other = 0;
    if (bits.flag()) {
        if (is_new) {
            other = latm_value(bits);
        } else {
            for (bool goes_on = true; goes_on;) {
                goes_on = bits.flag();
                other = other << 8 | bits.bits(8);
                if (other > element.size() * 8) throw Malformed("LATM: the length of other data");
            }
        }
    }
    if (bits.flag()) bits.bits(8);  // crcCheckSum
    config_ = std::move(config);
    frames_ = frames;
    other_bits_ = other;
}

const std::vector<Bytes>& LatmReader::read(ByteSpan element) {
    out_.clear();
    BitReader bits(element);
    if (!bits.flag()) read_config(bits, element);  // useSameStreamMux
    if (config_.empty()) return out_;
    for (unsigned frame = 0; frame < frames_; ++frame) {
        std::size_t size = 0;
        for (std::uint32_t part = 255; part == 255;) size += part = bits.bits(8);
        if (size * 8 > bits.left()) throw Malformed("LATM: a frame that leads past the end");
        auto& payload = out_.emplace_back();
        payload.reserve(size);
        while (size-- > 0) payload.push_back(static_cast<std::uint8_t>(bits.bits(8)));
    }
    return out_;
}

}  // namespace tapedeck::mpegts
