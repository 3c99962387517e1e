// The data channels of one peer: RFC 8831.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "webrtc/data/sctp.hpp"

namespace tapedeck::webrtc {

/// Valid during the call.
struct ChannelMessage {
    std::string_view channel;  // its label as the page gave it; empty: none is known
    bool is_text = false;      // the page says that it is a string
    std::span<const std::uint8_t> bytes;
};

/// Opens what the page opens, and takes what it says; says nothing itself. A channel that was negotiated without DCEP
/// is there with its first message. At most `most_channels`; further ones are closed. One thread at a time.
class DataChannels : private SctpEvents {
public:
    using Time = SctpAssociation::Time;
    using Send = std::function<void(std::span<const std::uint8_t> datagram)>;
    using Take = std::function<void(const ChannelMessage& message)>;
    static constexpr std::size_t most_channels = 64, longest_label = 200;

    /// `send` and `take` are called from within `begin`, `receive` and `tick`.
    DataChannels(std::uint16_t remote_port, Send send, Take take)
        : send_(std::move(send)), take_(std::move(take)), association_(*this, remote_port) {}

    void begin(Time now) { association_.connect(now_ = now); }
    /// A datagram of DTLS.
    void receive(std::span<const std::uint8_t> datagram, Time now) { association_.receive(datagram, now_ = now); }
    void tick(Time now) { association_.tick(now_ = now); }

    std::size_t size() const { return labels_.size(); }
    const SctpAssociation& association() const { return association_; }

private:
    void datagram(std::span<const std::uint8_t> bytes) override { send_(bytes); }
    void message(const SctpMessage& message) override;
    void closed(std::uint16_t stream) override;
    void control(const SctpMessage& message);

    Send send_;
    Take take_;
    Time now_{};
    std::map<std::uint16_t, std::string> labels_;  // of open channels, by stream
    SctpAssociation association_;
};

}  // namespace tapedeck::webrtc
