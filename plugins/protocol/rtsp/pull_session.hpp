// One connection to a camera, from connecting to TEARDOWN.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "dialogue.hpp"
#include "health.hpp"
#include "loop.hpp"
#include "pulled_stream.hpp"
#include "pulled_tracks.hpp"
#include "settings.hpp"

namespace tapedeck::rtsp {

/// On the camera's loop. All that goes wrong is thrown, in words for REST and the log; then it is of no use any more,
/// but for `leave` and its end.
class PullSession : private Incoming {
public:
    /// Who pulls. What it is told here comes while the connection is read, so that it may not end the session then.
    class Owner {
    public:
        virtual ~Owner() = default;
        /// What the camera offers. Where there is no stream for it yet, `set_up` is called once there is.
        virtual void described(const std::vector<Medium>& media) = 0;
        virtual void playing(bool is_udp) = 0;
        virtual void media_came() = 0;
        virtual void jumped(std::uint64_t count) = 0;
        /// What is missing while it plays, whenever that changes; empty: nothing is any more.
        virtual void problem(const std::string& problem) = 0;
    };
    /// What of the camera outlives the connection.
    struct Camera {
        Context context;
        std::string name;  // in the log
        const Settings& settings;
        Loop& loop;
        std::weak_ptr<Member> member;  // hears of the sockets
        Owner& owner;
        PulledStream& stream;
    };

    /// Begins to connect. `begin` is next.
    PullSession(Camera camera, const TlsClient& tls, Url url, const Address& address, Transport transport);
    ~PullSession() override;
    PullSession(const PullSession&) = delete;
    PullSession& operator=(const PullSession&) = delete;

    void begin();
    void ready(int descriptor, std::uint32_t events, std::int64_t now_us);
    void tick(std::int64_t now_us);
    /// There is a stream for what the camera offers.
    void set_up();
    void want_key() {
        if (tracks_) tracks_->reception().want_key();
    }
    /// By the clock once its sender reports have come, where nobody wants less delay than a recording.
    void choose_reading(std::int64_t now_us);
    /// What came is given, and the camera hears that it may forget us. Throws nothing.
    void leave();

    const Url& url() const { return url_; }
    int descriptor() const { return connection_.descriptor(); }
    bool is_playing() const { return state_ == State::playing; }
    /// The camera sends over UDP, or was asked to.
    bool is_udp() const { return is_udp_; }
    /// Why it failed: the camera refuses the login.
    bool is_password_wrong() const { return is_password_wrong_; }
    /// Where the camera says that it is found; it may be relative.
    const std::optional<std::string>& moved_to() const { return moved_to_; }

private:
    enum class State : std::uint8_t { connecting, talking, playing };

    bool message(const Message& message) override;
    void packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) override;

    void talk();
    void heard(Dialogue::Event event);
    void described();
    void receive(std::vector<Medium> media);
    void set_up_next() { tracks_->set_up_next(dialogue_, camera_.loop, camera_.member); }
    void playing();
    void read(std::int64_t now_us);
    void give(std::int64_t now_us);
    void look_after(std::int64_t now_us);
    void keep_alive(std::int64_t now_us);
    void send();
    void watch();

    Camera camera_;
    Url url_;
    Transport transport_;
    bool is_udp_;
    std::int64_t deadline_us_;  // until it plays, but for the time that the host takes
    Connection connection_;
    Dialogue dialogue_;
    State state_ = State::connecting;
    std::optional<PulledTracks> tracks_;  // since it was described
    bool waits_for_stream_ = false, is_by_clock_ = false, is_password_wrong_ = false;
    std::optional<std::string> fault_, moved_to_;  // found while the connection is read
    std::int64_t playing_us_ = 0, keep_alive_us_ = 0, next_read_us_ = 0, looked_us_ = 0;
    std::optional<Health> health_;  // since it plays
    std::string problem_;
};

}  // namespace tapedeck::rtsp
