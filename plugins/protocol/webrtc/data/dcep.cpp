#include "webrtc/data/dcep.hpp"

#include <cstddef>

namespace tapedeck::webrtc::dcep {

std::optional<Open> parse_open(std::span<const std::uint8_t> message) {
    constexpr std::size_t head = 12;  // type, channel type, priority, reliability, two lengths
    if (message.size() < head || message[0] != open) return std::nullopt;
    const auto length = [&](std::size_t at) { return std::size_t{message[at]} << 8 | message[at + 1]; };
    const auto label = length(8), protocol = length(10);
    if (message.size() < head + label + protocol) return std::nullopt;
    const auto* texts = static_cast<const char*>(static_cast<const void*>(message.data() + head));
    return Open{{texts, label}, {texts + label, protocol}};
}

}  // namespace tapedeck::webrtc::dcep
