// The data channel establishment protocol: RFC 8832; payload protocols: RFC 8831 section 8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tapedeck::webrtc::dcep {

/// SCTP's payload protocol identifiers.
enum Protocol : std::uint32_t { control = 50, text = 51, binary = 53, empty_text = 56, empty_binary = 57 };

enum MessageType : std::uint8_t { acknowledge = 0x02, open = 0x03 };

/// DATA_CHANNEL_OPEN. How the channel delivers (ordered or not, how often repeated) concerns its sender alone.
struct Open {
    std::string_view label, protocol;  // in the message
};
/// Nothing when it is no OPEN or is torn.
std::optional<Open> parse_open(std::span<const std::uint8_t> message);

}  // namespace tapedeck::webrtc::dcep
