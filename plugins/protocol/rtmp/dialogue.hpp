// What both sides of a connection do about commands: read and write them, acknowledge bytes, answer pings.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "amf.hpp"
#include "message.hpp"

namespace tapedeck::rtmp {

/// One side of the talk (Adobe's RTMP specification 1.0, sections 5.4 and 7). Pure; not thread-safe.
class Dialogue {
public:
    virtual ~Dialogue() = default;

    /// Takes every message that is not audio, video or an aggregate. Throws Malformed.
    void message(MessageType type, std::uint32_t stream, ByteSpan payload);
    /// All bytes that the connection has received so far, after the handshake.
    void received(std::uint64_t total);
    /// Asks the peer for a sign of life.
    void ping(std::uint32_t timestamp);

    /// What must be sent, in order. The owner takes it away.
    std::vector<std::uint8_t>& output() { return output_; }

    static constexpr std::uint32_t window = 2'500'000;
    static constexpr std::uint32_t chunk_size = 4096;  // of what is sent behind `set chunk size`
    static constexpr std::size_t longest_command = 64u << 10;

protected:
    using Values = std::vector<amf::Value>;

    virtual void command(std::uint32_t stream, const Values& values) = 0;
    /// Metadata and the like, in a data message.
    virtual void data(const Values& values) = 0;
    /// The peer sends no more of this stream.
    virtual void stream_ended(std::uint32_t /*stream*/) {}

    void send(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream, ByteSpan payload);
    void send_number(MessageType type, std::uint32_t number);
    void send_bandwidth(std::uint32_t bytes);
    void send_command(std::uint32_t stream, const Values& values);
    void send_event(ControlEvent event, std::uint32_t value);
    /// With a second value, as `set buffer length` has it.
    void send_event(ControlEvent event, std::uint32_t stream, std::uint32_t value);
    void result(double transaction, amf::Value first, amf::Value second);

    /// The value at `index`, or one of no type.
    static const amf::Value& at(const Values& values, std::size_t index);
    static std::string_view member(const amf::Object& object, std::string_view name);

private:
    void user_control(ByteSpan payload);
    void data_message(ByteSpan payload);

    std::vector<std::uint8_t> output_;
    bool told_ = false;              // set chunk size was sent
    std::uint32_t peer_window_ = 0;  // 0: the peer wants no acknowledgements
    std::uint64_t acknowledged_ = 0;
    std::uint32_t own_window_ = 0;  // as last said
};

}  // namespace tapedeck::rtmp
