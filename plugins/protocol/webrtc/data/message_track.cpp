#include "webrtc/data/message_track.hpp"

#include <openssl/evp.h>

#include <array>
#include <vector>

namespace tapedeck::webrtc {

namespace {

std::string_view text_in(std::span<const std::uint8_t> bytes) {
    return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

std::string data_url(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view head = "data:application/octet-stream;base64,";
    std::vector<std::uint8_t> url(head.begin(), head.end());
    url.resize(head.size() + (bytes.size() + 2) / 3 * 4 + 1);  // OpenSSL ends it with NUL
    ::EVP_EncodeBlock(url.data() + head.size(), bytes.data(), static_cast<int>(bytes.size()));
    url.pop_back();
    return std::string(text_in(url));
}

Track track_of(std::uint32_t index, std::string_view label) {
    Track track(TD_DATA, TD_CODEC_TEXT, {1, 1'000'000}, index);
    track.track.clock = index;
    if (is_utf8(label)) track.track.label = text_of(label);
    return Track(static_cast<const td_track&>(track));  // with a label of its own
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
        const auto first = byte(0);
        if ((first >= 0x80 && first < 0xc0) || first >= 0xf8) return false;
        const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        auto code = size == 1 ? first : first & 0x7fu >> size;
        for (std::size_t i = 1; i < size; ++i) {
            if ((byte(i) & 0xc0) != 0x80) return false;
            code = code << 6 | (byte(i) & 0x3f);
        }
        constexpr std::array<std::uint32_t, 4> least{1, 0x80, 0x800, 0x10000};  // what is shorter is no right form
        const bool is_surrogate = code >= 0xd800 && code < 0xe000;
        if (code < least[size - 1] || code > 0x10ffff || is_surrogate) return false;
        text.remove_prefix(size);
    }
    return true;
}

MessageTrack::MessageTrack(Context context, std::uint32_t index, std::string_view channel)
    : context_(context), track_(track_of(index, channel)) {}

OwnedPacket MessageTrack::packet(const ChannelMessage& message, std::int64_t at_us) const {
    if (message.is_text && is_utf8(text_in(message.bytes))) return {context_, track_.track.index, message.bytes, at_us};
    const auto url = data_url(message.bytes);
    const auto* bytes = static_cast<const std::uint8_t*>(static_cast<const void*>(url.data()));
    return {context_, track_.track.index, {bytes, url.size()}, at_us};
}

}  // namespace tapedeck::webrtc
