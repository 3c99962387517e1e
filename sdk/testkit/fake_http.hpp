// The service tapedeck.http/1 of a FakeHost: keeps the routes and calls them as the host would.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/callbacks.hpp"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

using HttpHeaders = std::map<std::string, std::string>;

struct HttpAnswer {
    std::int32_t status = 0;
    std::string content_type, body;
    HttpHeaders headers;  ///< names as the plugin wrote them
};

/// A client's side of one WebSocket, as a test sees it. Thread-safe.
class FakeWebSocket {
public:
    /// The next message from the plugin; throws std::runtime_error when none comes.
    std::string receive(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [this] { return !sent_.empty(); }))
            throw std::runtime_error("no message from the plugin");
        auto message = std::move(sent_.front());
        sent_.pop_front();
        return message;
    }
    /// Waits for the plugin to hang up and gives the code.
    std::int32_t hung_up(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [this] { return code_ != 0; }))
            throw std::runtime_error("the plugin does not hang up");
        return code_;
    }

private:
    friend class FakeHttp;
    void add(std::string message) {
        const std::lock_guard lock(mutex_);
        sent_.push_back(std::move(message));
        changed_.notify_all();
    }
    void end(std::int32_t code) {
        const std::lock_guard lock(mutex_);
        code_ = code;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> sent_;
    std::int32_t code_ = 0;
    const td_websocket_handlers* handlers_ = nullptr;
    void* client_ = nullptr;
};

/// Thread-safe; handlers run on the host's callback thread.
class FakeHttp {
public:
    explicit FakeHttp(Callbacks& callbacks) : callbacks_(callbacks) {}

    using Handler = void (*)(void*, const td_http_request*, td_http_exchange*);

    td_status route(td_text method, td_text path, Handler handler, void* self, td_error* error) {
        const std::lock_guard lock(mutex_);
        if (routes_.try_emplace({std::string(string_of(method)), std::string(string_of(path))}, handler, self).second)
            return TD_OK;
        *error = {sizeof(td_error), TD_EXISTS, 0, "the route is taken"};
        return TD_EXISTS;
    }
    td_status websocket(td_text path, const td_websocket_handlers* handlers, void* self, td_error* error) {
        const std::lock_guard lock(mutex_);
        if (websockets_.try_emplace(std::string(string_of(path)), handlers, self).second) return TD_OK;
        *error = {sizeof(td_error), TD_EXISTS, 0, "the route is taken"};
        return TD_EXISTS;
    }
    /// Method and path of each route.
    std::vector<std::pair<std::string, std::string>> routes() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::pair<std::string, std::string>> result;
        result.reserve(routes_.size());
        for (const auto& [name, target] : routes_) result.push_back(name);
        return result;
    }
    /// Calls a route, of a prefix too, and waits for its answer; throws std::runtime_error where there is no route or
    /// no answer. `headers` have names in lower case.
    HttpAnswer call(std::string_view method, std::string_view path, std::string_view body = {},
                    std::string_view query = {}, HttpHeaders headers = {{"content-type", "application/json"}},
                    std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        const auto target = find(method, path);
        // An unanswered exchange is kept by the promise's other owner, so that a late `respond` does no harm.
        auto* exchange = new Exchange;
        auto answer = exchange->answer.get_future();
        callbacks_.post([=, method = std::string(method), path = std::string(path), body = std::string(body),
                         query = std::string(query), headers = std::move(headers)] {
            const auto list = attributes_of(headers);
            const td_http_request request{sizeof(td_http_request),
                                          0,
                                          to_text(method),
                                          to_text(path),
                                          to_text(query),
                                          to_text("127.0.0.1"),
                                          to_text(body),
                                          list.data(),
                                          list.size()};
            target.first(target.second, &request, static_cast<td_http_exchange*>(static_cast<void*>(exchange)));
        });
        if (answer.wait_for(limit) != std::future_status::ready)
            throw std::runtime_error("no answer from " + std::string(path));
        return answer.get();
    }

    static void respond(td_http_exchange* exchange, const td_http_answer* given) {
        const std::unique_ptr<Exchange> owned(static_cast<Exchange*>(static_cast<void*>(exchange)));
        HttpAnswer answer{
            given->status, std::string(string_of(given->content_type)), std::string(string_of(given->body)), {}};
        for (std::size_t i = 0; i < given->header_count; ++i)
            answer.headers.emplace(string_of(given->headers[i].key), string_of(given->headers[i].value));
        owned->answer.set_value(std::move(answer));
    }

    /// Comes as a client of the WebSocket registered for exactly this `path`; throws std::runtime_error where there is
    /// none or the plugin refuses. End it by `close` while the host lives.
    std::shared_ptr<FakeWebSocket> connect(const std::string& path, HttpHeaders headers = {}) {
        auto socket = std::make_shared<FakeWebSocket>();
        void* self = nullptr;
        {
            const std::lock_guard lock(mutex_);
            const auto found = websockets_.find(path);
            if (found == websockets_.end()) throw std::runtime_error("no WebSocket " + path);
            std::tie(socket->handlers_, self) = found->second;
        }
        td_error error{};
        error.size = sizeof(error);
        td_status status = TD_OK;
        callbacks_.post([&] {
            auto* handle = new std::shared_ptr<FakeWebSocket>(socket);
            const auto list = attributes_of(headers);
            const td_http_request request{
                sizeof(td_http_request), 0,           to_text("GET"), to_text(path), to_text(""),
                to_text("127.0.0.1"),    to_text(""), list.data(),    list.size()};
            status = socket->handlers_->opened(self, &request, static_cast<td_websocket*>(static_cast<void*>(handle)),
                                               &socket->client_, &error);
        });
        callbacks_.drain();
        if (status < 0) throw std::runtime_error(error.text);
        return socket;
    }
    /// A client's message.
    void say(const std::shared_ptr<FakeWebSocket>& socket, std::string text) {
        callbacks_.post(
            [socket, text = std::move(text)] { socket->handlers_->message(socket->client_, to_text(text)); });
    }
    /// The client goes, or answers a hang-up; returns when the plugin knows.
    void close(const std::shared_ptr<FakeWebSocket>& socket) {
        callbacks_.post([socket] { socket->handlers_->closed(socket->client_, to_text("the client closed")); });
        callbacks_.drain();
    }

    static void send(td_websocket* handle, td_text message) { of(handle)->add(std::string(string_of(message))); }
    static void hang_up(td_websocket* handle, std::int32_t code, td_text) {
        const std::unique_ptr<std::shared_ptr<FakeWebSocket>> owned(&of(handle));
        (*owned)->end(code);
    }

private:
    static std::shared_ptr<FakeWebSocket>& of(td_websocket* handle) {
        return *static_cast<std::shared_ptr<FakeWebSocket>*>(static_cast<void*>(handle));
    }
    static std::vector<td_attribute> attributes_of(const HttpHeaders& headers) {
        std::vector<td_attribute> list;
        for (const auto& [name, value] : headers) list.push_back({to_text(name), to_text(value)});
        return list;
    }
    /// The exact route, or the one of the longest prefix.
    std::pair<Handler, void*> find(std::string_view method, std::string_view path) const {
        const std::lock_guard lock(mutex_);
        const auto exact = routes_.find({std::string(method), std::string(path)});
        if (exact != routes_.end()) return exact->second;
        std::pair<Handler, void*> best{};
        std::size_t length = 0;
        for (const auto& [name, target] : routes_) {
            const auto prefix = std::string_view(name.second).substr(0, name.second.size() - 1);
            if (name.first != method || !name.second.ends_with("/*") || !path.starts_with(prefix)) continue;
            if (prefix.size() > length) std::tie(best, length) = std::pair{target, prefix.size()};
        }
        if (best.first == nullptr) throw std::runtime_error("no route " + std::string(path));
        return best;
    }

    struct Exchange {
        std::promise<HttpAnswer> answer;
    };

    Callbacks& callbacks_;
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::pair<Handler, void*>> routes_;
    std::map<std::string, std::pair<const td_websocket_handlers*, void*>> websockets_;
};

}  // namespace tapedeck::testkit
