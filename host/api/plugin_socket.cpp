#include "api/plugin_socket.hpp"

#include <string>

#include "api/answers.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "tapedeck/utf8.hpp"

/// A plugin's hold on a WebSocket, until it hangs up.
struct td_websocket {
    std::shared_ptr<tapedeck::host::api::WebSocketOutbox> outbox;
};

namespace tapedeck::host::api {
namespace {

/// What plugins may say; everything else is a normal end.
CloseCode close_code(std::int32_t code) {
    const bool allowed = code == TD_WEBSOCKET_POLICY || code == TD_WEBSOCKET_FAILED || (code >= 3000 && code <= 4999);
    return allowed ? static_cast<CloseCode>(code) : CloseCode::Normal;
}

/// Counts a call for as long as it runs.
class Running {
public:
    explicit Running(std::atomic<int>& count) : count_(count) { ++count_; }
    ~Running() {
        if (--count_ == 0) count_.notify_all();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    std::atomic<int>& count_;
};

}  // namespace

PluginSocket::PluginSocket(const td_context* owner, const td_websocket_handlers& handlers)
    : owner_(owner), handlers_(handlers), outbox_(std::make_shared<WebSocketOutbox>(TD_WEBSOCKET_QUEUE)) {}

PluginSocket::~PluginSocket() {
    closed("the client left before its WebSocket was open");
}

void PluginSocket::open(void* self, const td_http_request* request) {
    auto* handle = new td_websocket{outbox_};  // NOLINT: `hang_up` deletes it
    td_error error{};
    error.size = sizeof(error);
    const auto status = handlers_.opened(self, request, handle, &client_, &error);
    if (status < 0) throw Error(error.text, status);
    is_open_ = true;
}

void PluginSocket::leave() {
    const bool was_open = is_open_.exchange(false);
    for (int running = running_; running != 0; running = running_) running_.wait(running);
    outbox_->finish(CloseCode::GoingAway, "the server is stopping");
    if (was_open) handlers_.closed(client_, text_of("the server is stopping"));
}

void PluginSocket::message(std::string_view utf8) {
    const Running running(running_);
    if (is_open_) handlers_.message(client_, text_of(utf8));
}

void PluginSocket::closed(std::string_view reason) noexcept {
    const Running running(running_);
    if (is_open_.exchange(false)) handlers_.closed(client_, text_of(reason));
}

void PluginSocket::send(td_websocket* socket, td_text message) {
    const auto text = view(message);
    socket->outbox->send(text_frame(is_utf8(text) ? text : valid_utf8(text, "?")));
}

void PluginSocket::hang_up(td_websocket* socket, std::int32_t code, td_text reason) {
    const std::unique_ptr<td_websocket> ended(socket);
    ended->outbox->finish(close_code(code), valid_utf8(view(reason), "?"));
}

}  // namespace tapedeck::host::api
