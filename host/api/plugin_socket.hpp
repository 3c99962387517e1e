// A WebSocket whose messages go to a plugin.
#pragma once

#include <atomic>
#include <memory>

#include "api/websocket.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host::api {

/// Calls the handlers of the plugin instance `owner`, one at a time, until it leaves or the WebSocket ends.
class PluginSocket : public WebSocketPeer {
public:
    /// The handlers are borrowed until `closed` or `leave`.
    PluginSocket(const td_context* owner, const td_websocket_handlers& handlers);
    /// Tells the plugin of the end where nobody did.
    ~PluginSocket() override;
    PluginSocket(const PluginSocket&) = delete;
    PluginSocket& operator=(const PluginSocket&) = delete;

    /// Asks the plugin; throws Error when it refuses.
    void open(void* self, const td_http_request* request);
    const td_context* owner() const { return owner_; }
    /// The server stops: the plugin is told the end, and no handler runs or is called afterwards. Any thread.
    void leave();

    WebSocketOutbox& outbox() override { return *outbox_; }
    void message(std::string_view utf8) override;
    void closed(std::string_view reason) noexcept override;

    /// Of td_http.
    static void send(td_websocket* socket, td_text message);
    static void hang_up(td_websocket* socket, std::int32_t code, td_text reason);

private:
    const td_context* owner_;
    const td_websocket_handlers& handlers_;
    std::shared_ptr<WebSocketOutbox> outbox_;  // shared with the plugin's handle, which may outlive this
    void* client_ = nullptr;
    std::atomic<bool> is_open_ = false;  // the plugin hears of it
    std::atomic<int> running_ = 0;       // calls of handlers that did not return yet
};

}  // namespace tapedeck::host::api
