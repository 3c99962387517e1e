// The commands of a client that plays a stream (Adobe's RTMP specification 1.0, section 7.2), without a socket.
#pragma once

#include <cstdint>
#include <string>

#include "adobe_login.hpp"
#include "dialogue.hpp"

namespace tapedeck::rtmp {

/// How another connection is asked for: at another address, which ends with its application, or with a login.
struct Onward {
    std::string address;  // empty: the same
    std::string login;    // for `PlayTarget`
};

/// Whom a client's conversation tells. Called from inside `ClientConversation::message`.
class PlayEvents {
public:
    virtual ~PlayEvents() = default;
    /// The server refuses, or its stream is over: the reason in words, the server's own among them. The last call.
    virtual void play_ended(const std::string& why) = 0;
    /// The server refuses this connection and wants another one. The last call, as `play_ended` else.
    virtual void play_goes_on(const Onward& where) = 0;
    virtual void metadata(const amf::Object& values) = 0;
};

/// What to play, in the words of the commands.
struct PlayTarget {
    std::string application;
    std::string url;      // tcUrl
    std::string stream;   // with its query
    AdobeLogin who{};     // for a server that asks
    std::string login{};  // stands behind the application and the url, as `who` answered before; empty at first
};

/// One client's commands and the server's answers. Pure; not thread-safe.
class ClientConversation : public Dialogue {
public:
    enum class State : std::uint8_t { fresh, connecting, creating, asking, playing, ended };

    ClientConversation(PlayEvents& events, PlayTarget target) : events_(events), target_(std::move(target)) {}

    /// The handshake is done: says `connect`.
    void begin();

    State state() const { return state_; }

private:
    void command(std::uint32_t stream, const Values& values) override;
    void data(const Values& values) override;
    void stream_ended(std::uint32_t stream) override;

    void on_result(const Values& values);
    void on_error(const Values& values);
    void on_status(const amf::Object& info);
    /// Whether the refusal of a connection asks for another one, and that is said.
    bool goes_on(const amf::Object& info);
    void play(std::uint32_t stream);
    void end(const std::string& why);

    PlayEvents& events_;
    PlayTarget target_;
    State state_ = State::fresh;
    std::uint32_t stream_ = 0;  // message stream id
};

}  // namespace tapedeck::rtmp
