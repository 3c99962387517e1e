#include "webrtc/data/data_channels.hpp"

#include <array>

#include "webrtc/data/dcep.hpp"

namespace tapedeck::webrtc {

void DataChannels::message(const SctpMessage& message) {
    const bool is_text = message.protocol == dcep::text, is_binary = message.protocol == dcep::binary;
    if (message.protocol == dcep::control) return control(message);
    // The empty ones have one byte on the wire, and nothing to tell.
    if (!is_text && !is_binary) return;
    auto channel = labels_.find(message.stream);
    if (channel == labels_.end()) {
        if (labels_.size() == most_channels) return;
        channel = labels_.try_emplace(message.stream).first;
    }
    take_({channel->second, is_text, message.bytes});
}

void DataChannels::control(const SctpMessage& message) {
    const auto open = dcep::parse_open(message.bytes);
    if (!open) return;
    if (labels_.size() == most_channels && !labels_.contains(message.stream))
        return association_.reset(message.stream, now_);
    labels_.insert_or_assign(message.stream, std::string(open->label.substr(0, longest_label)));
    constexpr std::array<std::uint8_t, 1> acknowledgement{dcep::acknowledge};
    association_.send({message.stream, dcep::control, acknowledgement}, now_);
}

void DataChannels::closed(std::uint16_t stream) {
    labels_.erase(stream);
    association_.reset(stream, now_);
}

}  // namespace tapedeck::webrtc
