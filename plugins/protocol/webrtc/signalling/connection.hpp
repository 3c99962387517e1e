// One client of the WebSDK.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tapedeck/http.hpp"
#include "webrtc/sessions.hpp"
#include "webrtc/signalling/directory.hpp"
#include "webrtc/signalling/message.hpp"
#include "webrtc/signalling/serial.hpp"

namespace tapedeck::webrtc {

/// How a client shows that it is there (websdk-protocol section 2): it is asked each `interval` and gone when it says
/// nothing to so many.
struct KeepAlive {
    std::chrono::microseconds interval{};
    std::int64_t most_unanswered = 0;
};

/// What a client says and what it is told, from `connection` to the end of its WebSocket. Each of its streams ends in
/// one terminal status while there is a socket, and in `Sessions` always. Any thread may call; inside it is one at a
/// time. Owned by its directory until it ends, and by the sessions that it opened.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `sessions` is borrowed until the end. `remote`: the client's address.
    Connection(Context context, Sessions& sessions, std::shared_ptr<Directory> directory, std::string remote,
               WebSocket socket);

    /// One frame of the client.
    void message(std::string_view frame);
    /// From time to time, rather a few times in an interval.
    void tick(Time now, const KeepAlive& keep_alive);
    /// Its streams end with this text and the socket is hung up, if it is there.
    void end(std::string_view reason);
    /// An event of a publisher for the player `media_session`.
    void relay(const std::string& media_session, const websdk::StreamEvent& event);

    const std::string& session() const { return session_; }

private:
    class Events;
    struct Asker;
    enum class State { waiting, admitting, established, ended };
    struct Stream {
        std::string name;
        bool publishes = false, has_video = false, has_audio = false, record = false;
        bool is_stopping = false;  // as the client asked
    };

    template <class Work>
    void post(Work work);

    void take(const websdk::Other&) {}
    void take(const websdk::Ping&);
    void take(const websdk::Connect& message);
    void take(const websdk::StreamRequest& message);
    void take(const websdk::StreamStop& message);
    void take(const websdk::AvailabilityRequest& message);
    void take(const websdk::StreamEvent& message);
    void take(const websdk::DataRequest& message);

    void admitted(const std::optional<std::string>& refusal);
    void answered(const std::string& media_session, const std::string& sdp);
    void started(const std::string& media_session);
    void stream_ended(const std::string& media_session, bool failed, const std::string& reason,
                      const std::string& record_name);
    void tell(const std::string& media_session, const Stream& stream, std::string_view status,
              std::string_view info = {}, std::string_view record_name = {});
    void send(std::string_view frame) const;
    void finish(std::string_view reason, std::int32_t code);

    Context context_;
    Sessions& sessions_;
    std::shared_ptr<Directory> directory_;  // shared: sessions may end after all else
    const std::string session_, remote_;
    std::optional<WebSocket> socket_;
    State state_ = State::waiting;
    websdk::Connect connect_;
    std::map<std::string, Stream, std::less<>> streams_;  // by media session
    std::optional<Time> asked_;                           // when the client was pinged last
    std::int64_t unanswered_ = 0;
    Serial serial_;
};

}  // namespace tapedeck::webrtc
