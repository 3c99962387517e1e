// HTTP routes and WebSockets of a plugin, over the service http/1.
#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"
#include "tapedeck/context.hpp"

namespace tapedeck {

/// What a client asks. Borrowed for the call.
class HttpRequest {
public:
    explicit HttpRequest(const td_http_request* given) : given_(given) {}
    std::string_view method() const { return view(given_->method); }
    std::string_view path() const { return view(given_->path); }    ///< still encoded
    std::string_view query() const { return view(given_->query); }  ///< still encoded
    std::string_view remote() const { return view(given_->remote); }
    std::string_view body() const { return view(given_->body); }
    bool is_secure() const { return given_->secure != 0; }
    /// The value of a header, or empty.
    std::string_view header(std::string_view lower_case_name) const {
        for (std::size_t i = 0; i < given_->header_count; ++i)
            if (view(given_->headers[i].key) == lower_case_name) return view(given_->headers[i].value);
        return {};
    }

private:
    const td_http_request* given_;
};

/// The duty to answer one request. Any thread, one at a time. Thrown away unanswered, it answers 500.
class HttpExchange {
public:
    using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    HttpExchange(const td_http* http, td_http_exchange* exchange) : http_(http), exchange_(exchange) {}
    HttpExchange(HttpExchange&& other) noexcept
        : http_(other.http_), exchange_(std::exchange(other.exchange_, nullptr)) {}
    HttpExchange& operator=(HttpExchange&&) = delete;
    ~HttpExchange() { respond(500, {}, "the plugin gave no answer"); }

    /// The first answer counts. From 400 on without a type, `body` is the reason in words.
    void respond(std::int32_t status, std::string_view type, std::string_view body, Headers headers = {}) {
        if (exchange_ == nullptr) return;
        std::vector<td_attribute> list;
        for (const auto& [name, value] : headers) list.push_back({text_of(name), text_of(value)});
        const td_http_answer answer{sizeof(td_http_answer), status,      text_of(type),
                                    text_of(body),          list.data(), list.size()};
        http_->respond(std::exchange(exchange_, nullptr), &answer);
    }

private:
    const td_http* http_;
    td_http_exchange* exchange_;
};

/// The plugin's end of one WebSocket. `send` from any thread, at once too; `hang_up` or the destructor comes last.
class WebSocket {
public:
    WebSocket(const td_http* http, td_websocket* socket) : http_(http), socket_(socket) {}
    WebSocket(WebSocket&& other) noexcept : http_(other.http_), socket_(std::exchange(other.socket_, nullptr)) {}
    WebSocket& operator=(WebSocket&&) = delete;
    ~WebSocket() { hang_up(TD_WEBSOCKET_NORMAL, {}); }

    /// UTF-8; dropped after the end.
    void send(std::string_view text) const {
        if (socket_ != nullptr) http_->send(socket_, text_of(text));
    }
    void hang_up(std::int32_t code, std::string_view reason) {
        if (socket_ != nullptr) http_->hang_up(std::exchange(socket_, nullptr), code, text_of(reason));
    }

private:
    const td_http* http_;
    td_websocket* socket_;
};

/// Who is at the other end of a WebSocket. Both are callbacks, one at a time: return at once.
class WebSocketClient {
public:
    virtual ~WebSocketClient() = default;
    virtual void message(std::string_view text) = 0;
    /// The last call; the object is destroyed after it.
    virtual void closed(std::string_view reason) = 0;
};

/// The host's HTTP server. Routes stay until `stop` of the protocol returned; this object too.
class Http {
public:
    using Handler = std::function<void(const HttpRequest&, HttpExchange)>;
    /// Throws Error to refuse a client. Never null.
    using Accept = std::function<std::unique_ptr<WebSocketClient>(const HttpRequest&, WebSocket)>;

    /// Throws Error TD_UNSUPPORTED where the host has none.
    explicit Http(Context context) : context_(context), http_(context.service<td_http>(TD_HTTP)) {
        if (http_ == nullptr) throw Error(TD_UNSUPPORTED, "this host has no HTTP");
    }
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;

    /// See td_http.route. What the handler throws is logged. Throws Error TD_EXISTS.
    void route(std::string_view method, std::string_view path, Handler handler) {
        auto& kept = routes_.emplace_back(Route{this, std::move(handler)});
        call(http_->route, context_.get(), text_of(method), text_of(path), &requested, static_cast<void*>(&kept));
    }
    /// See td_http.websocket. Throws Error TD_EXISTS.
    void websocket(std::string_view path, Accept accept) {
        auto& kept = accepts_.emplace_back(Acceptor{this, std::move(accept)});
        call(http_->websocket, context_.get(), text_of(path), handlers(), static_cast<void*>(&kept));
    }

private:
    struct Route {
        Http* http;
        Handler handler;
    };
    struct Acceptor {
        Http* http;
        Accept accept;
    };
    struct Client {
        Http* http;
        std::unique_ptr<WebSocketClient> client;
    };

    template <class Body>
    void guarded(Body body) const noexcept {
        td_error error = empty_error();
        if (guard(&error, body) < 0) context_.error(error.text);
    }

    static void requested(void* self, const td_http_request* request, td_http_exchange* exchange) noexcept {
        const auto& route = *static_cast<const Route*>(self);
        const Http& http = *route.http;
        http.guarded([&] { route.handler(HttpRequest(request), HttpExchange(http.http_, exchange)); });
    }
    static td_status opened(void* self, const td_http_request* request, td_websocket* given, void** client,
                            td_error* error) noexcept {
        const auto& acceptor = *static_cast<const Acceptor*>(self);
        WebSocket socket(acceptor.http->http_, given);
        return guard(error, [&] {
            auto made = std::make_unique<Client>();
            made->http = acceptor.http;
            made->client = acceptor.accept(HttpRequest(request), std::move(socket));
            *client = made.release();
        });
    }
    static void message(void* client, td_text text) noexcept {
        const auto& target = *static_cast<const Client*>(client);
        target.http->guarded([&] { target.client->message(view(text)); });
    }
    static void closed(void* client, td_text reason) noexcept {
        const std::unique_ptr<Client> target(static_cast<Client*>(client));
        target->http->guarded([&] { target->client->closed(view(reason)); });
    }
    static const td_websocket_handlers* handlers() {
        static constexpr td_websocket_handlers table{sizeof(td_websocket_handlers), 0, &opened, &message, &closed};
        return &table;
    }

    Context context_;
    const td_http* http_;
    std::deque<Route> routes_;  // deques: the host has addresses of their members
    std::deque<Acceptor> accepts_;
};

}  // namespace tapedeck
