// WHIP and WHEP: a stream by one HTTP request (RFC 9725, draft-ietf-wish-whep).
#pragma once

#include <memory>
#include <string_view>

#include "tapedeck/http.hpp"
#include "webrtc/sessions.hpp"

namespace tapedeck::webrtc {

/// `/whip/<name>` publishes and `/whep/<name>` plays; a session is `/webrtc/sessions/<uuid>`, which only its client
/// knows. Any thread, but for `serve`.
class Whip {
public:
    /// `sessions` is borrowed until `close`.
    explicit Whip(Sessions& sessions);
    ~Whip();

    /// [control] Throws Error TD_EXISTS. This outlives the routes. Preflights and 405 are the host's.
    void serve(Http& http);
    /// Ends them all. In `stop`: nobody comes any more. Answers that are still owed come with the sessions' ends.
    void close() const;

private:
    class Events;
    struct Table;

    void offer(bool publishes, const HttpRequest& request, HttpExchange exchange) const;
    void candidates(const HttpRequest& request, HttpExchange& exchange) const;
    void remove(const HttpRequest& request, HttpExchange& exchange) const;
    void exists(const HttpRequest& request, HttpExchange& exchange) const;

    Sessions& sessions_;
    std::shared_ptr<Table> table_;  // shared: sessions may end after all else
};

}  // namespace tapedeck::webrtc
