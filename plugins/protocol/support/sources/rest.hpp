// REST calls of a protocol: a route whose failures are answered by their status.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "tapedeck/context.hpp"
#include "tapedeck/http.hpp"

namespace tapedeck::sources {

inline void refuse(HttpExchange& exchange, const Error& error) {
    const auto status = error.status();
    const bool is_asked_wrongly = status == TD_MALFORMED || status == TD_UNSUPPORTED;
    exchange.respond(status == TD_NOT_FOUND ? 404
                     : status == TD_EXISTS  ? 409
                     : status == TD_DENIED  ? 403
                     : is_asked_wrongly     ? 400
                                            : 500,
                     {}, error.what());
}

/// `handler(const HttpRequest&, HttpExchange&)` answers on a thread of the host; it takes the exchange away to answer
/// later. What it throws becomes the answer: 404, 409, 403, 500 or 400 with its text.
template <class Handler>
void route(Http& http, std::string_view method, std::string_view path, Handler handler) {
    http.route(method, path, [handler = std::move(handler)](const HttpRequest& request, HttpExchange exchange) {
        try {
            handler(request, exchange);
        } catch (const Error& error) {
            refuse(exchange, error);
        } catch (const std::exception& error) {
            refuse(exchange, Error(TD_FAILED, error.what()));
        }
    });
}

using RestHandler = std::function<void(std::string_view body, HttpExchange& exchange)>;

/// The same for POST, where the body is all that is asked.
inline void post_route(Http& http, std::string_view path, RestHandler handler) {
    route(http, "POST", path, [handler = std::move(handler)](const HttpRequest& request, HttpExchange& exchange) {
        handler(request.body(), exchange);
    });
}

/// The same for GET and POST, where nothing is asked but all there is.
inline void list_route(Http& http, std::string_view path, const std::function<void(HttpExchange& exchange)>& handler) {
    for (const char* method : {"GET", "POST"})
        route(http, method, path, [handler](const HttpRequest&, HttpExchange& exchange) { handler(exchange); });
}

inline void answer_json(HttpExchange& exchange, std::string_view body) {
    exchange.respond(200, "application/json", body);
}

}  // namespace tapedeck::sources
