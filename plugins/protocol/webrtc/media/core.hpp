// What all sessions of the server share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "rtp/jitter_buffer.hpp"
#include "webrtc/media/connecting.hpp"
#include "webrtc/media/event_queue.hpp"
#include "webrtc/media/sdp.hpp"
#include "webrtc/transport/transport.hpp"

namespace tapedeck::webrtc {

class Session;

struct MediaSettings {
    sdp::Preferences codecs;
    std::vector<Endpoint> candidates;  // in answers, by the transport's port; empty: its own
    PeerTimeouts timeouts;
    bool has_data = true;                       // data channels of publishers are taken
    std::int64_t activity_us = 60'000'000;      // a publisher that sends no RTP for so long is ended; 0: never
    std::int64_t key_interval_us = 0;           // a key frame is asked for this often; 0: when one is needed
    std::uint64_t largest_bitrate = 8'000'000;  // that a publisher with REMB only is allowed, bits a second
    ConnectingLimits connecting;
    rtp::JitterLimits jitter{.begin_us = 30'000};
};

/// Any thread.
class Core {
public:
    Core(Context host, MediaSettings media)
        : context(host), settings(std::move(media)), connecting(settings.connecting), events(host) {}

    const Context context;
    const MediaSettings settings;
    Connecting connecting;
    EventQueue events;

    void run(std::unique_ptr<Transport> transport) {
        const std::lock_guard lock(transport_mutex_);
        transport_ = std::move(transport);
    }
    /// Calls it with the Transport; false when there is none any more.
    template <class Work>
    bool with_transport(Work work) {
        const std::shared_lock lock(transport_mutex_);
        if (transport_) work(*transport_);
        return transport_ != nullptr;
    }
    std::unique_ptr<Transport> take_transport() {
        const std::lock_guard lock(transport_mutex_);
        return std::move(transport_);
    }

    /// Why not, or nothing. `remote` is the client's address.
    std::optional<std::string> enlist(const std::string& media_session, const std::shared_ptr<Session>& session,
                                      const std::string& remote) {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) return "Failed by error";
        if (sessions_.contains(media_session)) return "MediaSessionId is already in use";
        if (!connecting.enter(media_session, remote)) return "Too many sessions are connecting";
        sessions_.try_emplace(media_session, session);
        return std::nullopt;
    }
    std::shared_ptr<Session> find(const std::string& media_session) const {
        const std::lock_guard lock(mutex_);
        const auto found = sessions_.find(media_session);
        return found == sessions_.end() ? nullptr : found->second;
    }
    void forget(const std::string& media_session) {
        connecting.leave(media_session);
        const std::lock_guard lock(mutex_);
        sessions_.erase(media_session);
    }
    /// All there are; no more come.
    std::vector<std::shared_ptr<Session>> stop() {
        std::vector<std::shared_ptr<Session>> all;
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        all.reserve(sessions_.size());
        for (const auto& [name, session] : sessions_) all.push_back(session);
        return all;
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return sessions_.size();
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Session>> sessions_;
    bool is_stopping_ = false;
    std::shared_mutex transport_mutex_;
    std::unique_ptr<Transport> transport_;
};

}  // namespace tapedeck::webrtc
