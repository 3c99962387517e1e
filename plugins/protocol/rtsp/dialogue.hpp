// A client's side of RTSP, without sockets: which request comes next, and what an answer means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "authentication.hpp"
#include "message.hpp"
#include "rtp/sdp.hpp"
#include "rtp_info.hpp"
#include "transport_header.hpp"
#include "url.hpp"

namespace tapedeck::rtsp {

/// OPTIONS, DESCRIBE, then whatever `setup` asks for, PLAY, and signs of life. A challenge is answered once for each
/// nonce, and no request is sent more than three times. One connection.
class Dialogue {
public:
    enum class Event : std::uint8_t {
        none,
        described,  // `description` is there: call `setup` for each track, then `play`
        is_set_up,  // one track is: `transport` says how
        refused,    // SETUP's transport (461): it may be asked for another
        playing,
        moved,   // to `target`
        failed,  // `why`, and `status` where it was an answer
    };

    explicit Dialogue(const Url& url);

    /// The first request.
    void begin();
    /// A response to the last request; any other is passed over.
    Event answer(const Message& response);
    /// A request of the server's.
    void request(const Message& request);
    /// Which `control` of the description, and how.
    void setup(const std::string& control, const TransportHeader& transport);
    void play();
    void keep_alive();
    void teardown();

    /// What is to be sent since the last call.
    std::string take_output() { return std::exchange(output_, {}); }
    const sdp::Description& description() const { return description_; }
    const TransportHeader& transport() const { return transport_; }
    /// RTP's time of the track with this `control` when it began to play; nothing where the answer to PLAY tells none.
    std::optional<std::uint32_t> rtptime(const std::string& control) const;
    const std::string& target() const { return target_; }
    const std::string& why() const { return why_; }
    int status() const { return status_; }
    /// After which the server forgets a session that says nothing.
    std::uint32_t session_seconds() const { return session_seconds_; }
    /// The server's name for itself, or empty.
    const std::string& server() const { return server_; }

private:
    void ask(std::string method, std::string uri, std::vector<std::pair<std::string, std::string>> headers);
    void send();
    Event refusal(const Message& response);
    Event described(const Message& response);
    Event fail(std::string why);

    Url url_;
    std::string base_;  // of controls
    std::string aggregate_;
    Authenticator authenticator_;
    struct {
        std::string method, uri;
        std::vector<std::pair<std::string, std::string>> headers;
        std::uint32_t number = 0;
    } asked_;
    bool waits_ = false;
    int challenges_ = 0;  // of the last request
    std::uint32_t count_ = 0, session_seconds_ = 60;
    bool has_get_parameter_ = false, is_playing_ = false;
    std::string session_, output_, target_, why_, server_;
    int status_ = 0;
    sdp::Description description_;
    TransportHeader transport_;
    std::vector<RtpInfo> rtp_info_;
};

}  // namespace tapedeck::rtsp
