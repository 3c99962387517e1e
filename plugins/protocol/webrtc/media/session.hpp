// What publishing and playing have in common: the offer, the peer and how it ends.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/stream.hpp"
#include "webrtc/media/core.hpp"
#include "webrtc/sessions.hpp"

namespace tapedeck::webrtc {

/// Whatever ends it first gives the reason; then the peer goes, `leave` gives the stream back, and when the host has
/// released it, the end is told.
class Session : public PeerEvents, public std::enable_shared_from_this<Session> {
public:
    Session(std::shared_ptr<Core> core, SessionRequest request, std::shared_ptr<SessionEvents> events);

    /// Reads the offer, then asks the host. On the events' thread, once.
    void begin();
    /// Any thread. The first one counts. `failed`: by itself.
    void stop(bool failed, std::string_view reason);
    /// Tells the end, whatever the host still has to do. On the events' thread, when the transport is gone.
    virtual void abandon() { over({}); }

    void connected(Peer& peer) override;
    void failed(std::string_view reason) override;
    void ended() override;

protected:
    /// Asks for the stream.
    virtual void ask(const td_stream_info& info) = 0;
    /// Gives the stream back; the peer is gone. On its thread, once.
    virtual void leave(const std::string& reason) = 0;

    /// Expects the peer and answers the offer. False: it is over, and nothing else comes but its release.
    bool join();
    /// Runs it with the peer, on its thread, once that is connected.
    void with_peer(std::function<void(Peer&)> work);
    /// `woken` comes on the thread of the peer, of a player's, soon; nothing before the offer is answered. Any thread.
    void wake();
    /// Tells the end, once.
    void over(const std::string& record_name);
    std::string reason() const;

    const std::shared_ptr<Core> core_;
    SessionRequest request_;  // its offer only until `begin`
    sdp::Offer offer_;
    std::vector<sdp::Choice> choices_;
    std::uint64_t id_ = 0;     // random
    std::string stream_name_;  // of a player's answer
    Peer* peer_ = nullptr;     // on its thread, while it is connected

private:
    struct Outcome {
        bool failed;
        std::string reason;
    };

    const std::shared_ptr<SessionEvents> events_;
    IceCredentials ice_;
    std::string remote_ufrag_;
    Fingerprint remote_fingerprint_;
    DtlsRole role_ = DtlsRole::server;
    std::atomic<bool> is_connected_ = false;

    mutable std::mutex mutex_;
    std::optional<Outcome> outcome_;
    bool is_told_ = false;
    PeerRef joined_;  // set before the flag
    std::atomic<bool> is_joined_ = false;
};

/// The time of the monotonic clock that peers use, microseconds.
std::int64_t monotonic_us();
/// From it to UNIX time, at this moment.
std::int64_t unix_offset_us();

}  // namespace tapedeck::webrtc
