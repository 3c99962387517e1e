// Between signalling and media: what a client asks for, and what becomes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::webrtc {

/// What a client asks for; the offer is text as it came.
struct SessionRequest {
    bool publishes = true;  ///< else it plays
    std::string media_session, name, session, login, application, remote, offer;
    std::uint32_t record = TD_RECORD_BY_RULES;                    ///< publisher's
    std::vector<std::pair<std::string, std::string>> attributes;  ///< for admission: token, custom fields
};

/// Each on any thread, one at a time per session; never from within a call of Sessions.
class SessionEvents {
public:
    virtual ~SessionEvents() = default;
    virtual void answered(const std::string& sdp) = 0;  ///< at most once
    virtual void started() = 0;                         ///< media flows: PUBLISHING, PLAYING; at most once
    /// Once, always, the last call. `failed`: by itself, the reason is a text of websdk-protocol.md §7; else it was
    /// stopped. `record_name`: empty where nothing was recorded; a publisher's end waits for it.
    virtual void ended(bool failed, const std::string& reason, const std::string& record_name) = 0;
};

class Sessions {
public:
    virtual ~Sessions() = default;
    virtual void open(SessionRequest request, std::shared_ptr<SessionEvents> events) = 0;
    virtual void close(const std::string& media_session, const std::string& reason) = 0;  ///< `ended` follows
};

}  // namespace tapedeck::webrtc
