// The sessions of the server behind the interface that signalling uses.
#pragma once

#include <memory>
#include <string>

#include "webrtc/media/core.hpp"
#include "webrtc/sessions.hpp"

namespace tapedeck::webrtc {

/// Any thread, but for construction and destruction. SessionEvents are told on one thread of its own.
class MediaSessions : public Sessions {
public:
    /// Throws Error naming the address that cannot be bound.
    MediaSessions(Context context, const TransportConfig& transport, MediaSettings settings);
    /// Ends all; who still waits for a record name is told the end without it. No call of the plugin comes afterwards.
    ~MediaSessions() override;
    MediaSessions(const MediaSessions&) = delete;
    MediaSessions& operator=(const MediaSessions&) = delete;

    void open(SessionRequest request, std::shared_ptr<SessionEvents> events) override;
    void close(const std::string& media_session, const std::string& reason) override;

    /// With the ports that the system chose.
    const std::vector<Endpoint>& addresses() const { return addresses_; }
    /// That are not told their end yet.
    std::size_t size() const { return core_->size(); }
    TransportCounters counters() const;

private:
    std::shared_ptr<Core> core_;
    std::vector<Endpoint> addresses_;
};

}  // namespace tapedeck::webrtc
