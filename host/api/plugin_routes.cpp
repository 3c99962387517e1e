#include "api/plugin_routes.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.hpp"
#include "api/plugin_socket.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

/// A plugin's hold on one request: made before its handler runs, ended by its answer.
struct td_http_exchange {
    tapedeck::host::api::Answer answer;
    std::string path;
};

namespace tapedeck::host::api {

/// What is lent: the router, and the WebSockets that plugins have.
struct PluginRoutes::Lent {
    explicit Lent(Router& given) : router(given) {}

    void keep(const std::shared_ptr<PluginSocket>& socket) {
        const std::lock_guard lock(mutex);
        std::erase_if(sockets, [](const auto& known) { return known.expired(); });
        sockets.push_back(socket);
    }
    std::vector<std::shared_ptr<PluginSocket>> of(const td_context* instance) {
        const std::lock_guard lock(mutex);
        std::vector<std::shared_ptr<PluginSocket>> found;
        for (const auto& known : sockets) {
            auto socket = known.lock();
            if (socket && socket->owner() == instance) found.push_back(std::move(socket));
        }
        return found;
    }

    Router& router;
    std::mutex mutex;
    std::vector<std::weak_ptr<PluginSocket>> sockets;
};

std::atomic<PluginRoutes::Lent*> PluginRoutes::current = nullptr;

namespace {

using PluginHandler = void (*)(void* self, const td_http_request*, td_http_exchange*);

/// A request as plugins see it. Borrows from the host's.
class GivenRequest {
public:
    explicit GivenRequest(const Request& request) {
        headers_.reserve(request.headers.size());
        for (const auto& [name, value] : request.headers) headers_.push_back({text_of(name), text_of(value)});
        given_ = {sizeof(given_),        request.secure ? 1U : 0U, text_of(request.method),
                  text_of(request.path), text_of(request.query),   text_of(request.remote),
                  text_of(request.body), headers_.data(),          headers_.size()};
    }
    const td_http_request* get() const { return &given_; }

private:
    std::vector<td_attribute> headers_;
    td_http_request given_{};
};

/// A header that plugins may set: a token (RFC 9110 section 5.6.2), and not one of the server's own.
bool is_theirs(std::string_view name) {
    constexpr std::string_view token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static constexpr std::array<std::string_view, 6> own{"content-type", "content-length",    "connection",
                                                         "date",         "transfer-encoding", "server"};
    if (name.empty() || name.find_first_not_of(token) != std::string_view::npos) return false;
    const auto lowered = lower(name);
    return !lowered.starts_with("access-control-") && std::ranges::find(own, lowered) == own.end();
}

void respond(td_http_exchange* exchange, const td_http_answer* given) {
    const std::unique_ptr<td_http_exchange> ended(exchange);
    try {
        const auto type = view(given->content_type);
        Response response;
        if (given->status >= 400 && given->status <= 599 && type.empty()) {
            response = error_answer(given->status, view(given->body), ended->path);
        } else {
            response.status = given->status >= 200 && given->status <= 599 ? given->status : 500;
            response.body = std::string(view(given->body));
            if (!type.empty()) response.headers.emplace_back("Content-Type", type);
        }
        for (std::size_t i = 0; i < given->header_count; ++i) {
            const auto name = view(given->headers[i].key);
            if (is_theirs(name)) response.headers.emplace_back(name, view(given->headers[i].value));
        }
        ended->answer(std::move(response));
    } catch (const std::exception& failure) {
        ended->answer(error_answer(500, failure.what(), ""));
    }
}

}  // namespace

/// The table's functions that need what is lent.
struct PluginRoutes::Functions {
    template <class Add>
    static td_status add(td_error* error, Add add) {
        auto* lent = current.load();
        if (lent == nullptr) return fill(error, TD_UNSUPPORTED, "this host serves no HTTP now");
        try {
            add(*lent);
            return TD_OK;
        } catch (const Error& failure) {
            return fill(error, failure.status(), failure.what());
        } catch (const std::exception& failure) {
            return fill(error, TD_FAILED, failure.what());
        }
    }

    static td_status route(const td_context* context, td_text method, td_text path, PluginHandler handler, void* self,
                           td_error* error) {
        return add(error, [&](Lent& lent) {
            const auto call = [handler, self](const Request& request, const Answer& answer) {
                auto* exchange = new td_http_exchange{answer, request.path};  // NOLINT: `respond` deletes it
                handler(self, GivenRequest(request).get(), exchange);
            };
            lent.router.add({std::string(view(method))}, std::string(view(path)), call, context);
        });
    }

    static td_status websocket(const td_context* context, td_text path, const td_websocket_handlers* handlers,
                               void* self, td_error* error) {
        return add(error, [&](Lent& lent) {
            const auto call = [&lent, context, handlers, self](const Request& request, const Answer& answer) {
                auto socket = std::make_shared<PluginSocket>(context, *handlers);
                socket->open(self, GivenRequest(request).get());
                lent.keep(socket);
                Response response;
                response.socket = std::move(socket);
                answer(std::move(response));
            };
            lent.router.add_websocket(std::string(view(path)), call, context);
        });
    }
};

PluginRoutes::PluginRoutes(Router& router) : lent_(std::make_unique<Lent>(router)) {
    current = lent_.get();
}
PluginRoutes::~PluginRoutes() {
    current = nullptr;
}

const td_http* PluginRoutes::table() {
    static constexpr td_http service{
        sizeof(td_http), 0, Functions::route, respond, Functions::websocket, PluginSocket::send, PluginSocket::hang_up};
    return &service;
}

void PluginRoutes::remove(const td_context* instance) {
    lent_->router.remove(instance);
    for (const auto& socket : lent_->of(instance)) socket->leave();
}

}  // namespace tapedeck::host::api
