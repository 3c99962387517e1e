#include "webrtc/data/message_track.hpp"

#include <openssl/evp.h>

#include <vector>

#include "tapedeck/utf8.hpp"

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
    if (is_plain_text(label)) track.track.label = text_of(label);
    return Track(static_cast<const td_track&>(track));  // with a label of its own
}

}  // namespace

bool is_plain_text(std::string_view text) {
    return text.find('\0') == std::string_view::npos && is_utf8(text);
}

MessageTrack::MessageTrack(Context context, std::uint32_t index, std::string_view channel)
    : context_(context), track_(track_of(index, channel)) {}

OwnedPacket MessageTrack::packet(const ChannelMessage& message, std::int64_t at_us) const {
    if (message.is_text && is_plain_text(text_in(message.bytes)))
        return {context_, track_.track.index, message.bytes, at_us};
    const auto url = data_url(message.bytes);
    const auto* bytes = static_cast<const std::uint8_t*>(static_cast<const void*>(url.data()));
    return {context_, track_.track.index, {bytes, url.size()}, at_us};
}

}  // namespace tapedeck::webrtc
