// The commands between a publisher and the server (Adobe's RTMP specification 1.0, section 7.2), without a socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "amf.hpp"
#include "message.hpp"
#include "request.hpp"

namespace tapedeck::rtmp {

/// Whom a conversation asks. Called from inside `Conversation::message`.
class Decisions {
public:
    virtual ~Decisions() = default;
    /// Answer with `accept` or `reject`, now or later.
    virtual void connect(const ConnectRequest& request) = 0;
    /// Answer with `start` or `refuse`, now or later.
    virtual void publish(const PublishRequest& request) = 0;
    /// The client ends its stream.
    virtual void unpublish(std::string_view how) = 0;
    virtual void metadata(const amf::Object& values) = 0;
};

/// One client's commands and the server's answers. Pure; not thread-safe. While it waits for a decision no further
/// message may be given to it: the owner keeps them back.
class Conversation {
public:
    enum class State : std::uint8_t { fresh, connecting, connected, opening, publishing, ended };

    explicit Conversation(Decisions& decisions) : decisions_(decisions) {}

    /// Takes every message that is not audio, video or an aggregate. Throws Malformed.
    void message(MessageType type, std::uint32_t stream, ByteSpan payload);
    /// All bytes that the connection has received so far, after the handshake.
    void received(std::uint64_t total);

    void accept();
    void reject(std::string_view why);
    void start();
    void refuse(std::string_view why);
    /// Ends a running stream from the server's side; the client gets the reason.
    void kick(std::string_view why);
    /// Asks the client for a sign of life.
    void ping(std::uint32_t timestamp);

    State state() const { return state_; }
    bool waits() const { return state_ == State::connecting || state_ == State::opening; }
    /// What must be sent, in order. The owner takes it away.
    std::vector<std::uint8_t>& output() { return output_; }

    static constexpr std::uint32_t window = 2'500'000;
    static constexpr std::uint32_t chunk_size = 4096;  // of what the server sends
    static constexpr std::size_t longest_command = 64u << 10;

private:
    using Values = std::vector<amf::Value>;

    void command(std::uint32_t stream, const Values& values);
    void data(ByteSpan payload);
    void on_connect(const Values& values);
    void on_create_stream(double transaction);
    void on_publish(std::uint32_t stream, double transaction, const Values& values);
    void on_end(std::string_view how, std::uint32_t stream, const Values& values);
    void on_play(std::uint32_t stream);
    void user_control(ByteSpan payload);

    void send(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream, ByteSpan payload);
    void send_number(MessageType type, std::uint32_t number);
    void send_command(std::uint32_t stream, const Values& values);
    void send_event(ControlEvent event, std::uint32_t value);
    void result(double transaction, amf::Value first, amf::Value second);
    void status(std::uint32_t stream, std::string_view level, std::string_view code, std::string_view description);

    Decisions& decisions_;
    State state_ = State::fresh;
    std::vector<std::uint8_t> output_;
    double connect_transaction_ = 1;
    std::uint32_t streams_made_ = 0;
    std::uint32_t publishing_ = 0;  // message stream id
    std::string name_;
    bool fc_publish_ = false;
    bool told_ = false;              // set chunk size was sent
    std::uint32_t peer_window_ = 0;  // 0: the client wants no acknowledgements
    std::uint64_t acknowledged_ = 0;
};

}  // namespace tapedeck::rtmp
