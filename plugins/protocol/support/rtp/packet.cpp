#include "rtp/packet.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/wire.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::uint16_t one_byte = 0xbede, two_byte = 0x1000;

bool fits_one_byte(std::span<const Extension> extensions) {
    return std::all_of(extensions.begin(), extensions.end(), [](const Extension& element) {
        return element.id <= 14 && !element.value.empty() && element.value.size() <= 16;
    });
}

}  // namespace

Packet parse_packet(ByteSpan bytes) {
    ByteReader reader(bytes);
    const auto first = reader.u8(), second = reader.u8();
    if (first >> 6 != 2) throw Malformed("RTP: the version is not 2");
    Packet packet;
    packet.whole = bytes;
    packet.marker = (second & 0x80) != 0;
    packet.payload_type = second & 0x7f;
    packet.sequence = reader.u16();
    packet.timestamp = reader.u32();
    packet.ssrc = reader.u32();
    reader.take((first & 0x0fu) * 4u);
    if ((first & 0x10) != 0) {
        packet.extension_profile = reader.u16();
        packet.extensions = reader.take(reader.u16() * std::size_t{4});
    }
    packet.payload = reader.rest();
    if ((first & 0x20) != 0) {
        if (packet.payload.empty()) throw Malformed("RTP: padding without its count");
        const auto padding = packet.payload.back();
        if (padding == 0 || padding > packet.payload.size()) throw Malformed("RTP: more padding than payload");
        packet.payload = packet.payload.first(packet.payload.size() - padding);
    }
    return packet;
}

std::optional<ByteSpan> extension(const Packet& packet, std::uint8_t id) {
    const bool short_form = packet.extension_profile == one_byte;
    if (!short_form && (packet.extension_profile & 0xfff0) != two_byte) return std::nullopt;
    auto rest = packet.extensions;
    while (!rest.empty()) {
        if (rest[0] == 0) {
            rest = rest.subspan(1);
            continue;
        }
        const std::size_t head = short_form ? 1 : 2;
        if (rest.size() < head) break;
        const auto found = short_form ? rest[0] >> 4 : rest[0];
        const std::size_t size = short_form ? (rest[0] & 0x0fu) + 1u : rest[1];
        if ((short_form && found == 15) || rest.size() < head + size) break;
        if (found == id) return rest.subspan(head, size);
        rest = rest.subspan(head + size);
    }
    return std::nullopt;
}

std::size_t written_size(std::span<const Extension> extensions) {
    if (extensions.empty()) return header_size;
    const std::size_t head = fits_one_byte(extensions) ? 1 : 2;
    std::size_t size = 0;
    for (const auto& element : extensions) size += head + element.value.size();
    return header_size + 4 + (size + 3) / 4 * 4;
}

std::size_t write_header(std::span<std::uint8_t> into, const Packet& packet, std::span<const Extension> extensions) {
    const auto size = written_size(extensions);
    auto* at = into.data();
    *at++ = extensions.empty() ? 0x80 : 0x90;
    *at++ = static_cast<std::uint8_t>((packet.marker ? 0x80 : 0) | packet.payload_type);
    at = put16(at, packet.sequence);
    at = put32(at, packet.timestamp);
    at = put32(at, packet.ssrc);
    if (extensions.empty()) return size;
    const bool short_form = fits_one_byte(extensions);
    at = put16(at, short_form ? one_byte : two_byte);
    at = put16(at, static_cast<std::uint16_t>((size - header_size - 4) / 4));
    for (const auto& element : extensions) {
        if (short_form) {
            *at++ = static_cast<std::uint8_t>(element.id * 16u + element.value.size() - 1);
        } else {
            *at++ = element.id;
            *at++ = static_cast<std::uint8_t>(element.value.size());
        }
        if (!element.value.empty()) std::memcpy(at, element.value.data(), element.value.size());
        at += element.value.size();
    }
    std::fill(at, into.data() + size, std::uint8_t{0});
    return size;
}

}  // namespace tapedeck::rtp
