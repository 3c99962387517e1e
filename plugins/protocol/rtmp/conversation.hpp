// The commands between a publisher and the server (Adobe's RTMP specification 1.0, section 7.2), without a socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dialogue.hpp"
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
class Conversation : public Dialogue {
public:
    enum class State : std::uint8_t { fresh, connecting, connected, opening, publishing, ended };

    explicit Conversation(Decisions& decisions) : decisions_(decisions) {}

    void accept();
    void reject(std::string_view why);
    void start();
    void refuse(std::string_view why);
    /// Ends a running stream from the server's side; the client gets the reason.
    void kick(std::string_view why);

    State state() const { return state_; }
    bool waits() const { return state_ == State::connecting || state_ == State::opening; }

private:
    void command(std::uint32_t stream, const Values& values) override;
    void data(const Values& values) override;
    void on_connect(const Values& values);
    void on_create_stream(double transaction);
    void on_publish(std::uint32_t stream, double transaction, const Values& values);
    void on_end(std::string_view how, std::uint32_t stream, const Values& values);
    void on_play(std::uint32_t stream);
    void status(std::uint32_t stream, std::string_view level, std::string_view code, std::string_view description);

    Decisions& decisions_;
    State state_ = State::fresh;
    double connect_transaction_ = 1;
    std::uint32_t streams_made_ = 0;
    std::uint32_t publishing_ = 0;  // message stream id
    std::string name_;
    bool fc_publish_ = false;
};

}  // namespace tapedeck::rtmp
