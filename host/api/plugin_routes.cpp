#include "api/plugin_routes.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "api/answers.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

/// A plugin's hold on one request: made before its handler runs, ended by its answer.
struct td_http_exchange {
    tapedeck::host::api::Answer answer;
    std::string path;
};

namespace tapedeck::host::api {
namespace {

std::atomic<Router*> lent = nullptr;

using PluginHandler = void (*)(void* self, const td_http_request*, td_http_exchange*);

void call(PluginHandler handler, void* self, const Request& request, const Answer& answer) {
    td_http_request given{};
    given.size = sizeof(given);
    given.method = text_of(request.method);
    given.path = text_of(request.path);
    given.query = text_of(request.query);
    given.remote = text_of(request.remote);
    given.body = text_of(request.body);
    given.content_type = text_of(request.header("content-type"));
    handler(self, &given, new td_http_exchange{answer, request.path});  // NOLINT: `respond` deletes it
}

td_status route(const td_context* context, td_text method, td_text path, PluginHandler handler, void* self,
                td_error* error) {
    auto* router = lent.load();
    if (router == nullptr) return fill(error, TD_UNSUPPORTED, "this host serves no HTTP now");
    try {
        router->add(
            {std::string(view(method))}, std::string(view(path)),
            [handler, self](const Request& request, const Answer& answer) { call(handler, self, request, answer); },
            context);
        return TD_OK;
    } catch (const Error& failure) {
        return fill(error, failure.status(), failure.what());
    } catch (const std::exception& failure) {
        return fill(error, TD_FAILED, failure.what());
    }
}

void respond(td_http_exchange* exchange, std::int32_t status, td_text content_type, td_text body) {
    const std::unique_ptr<td_http_exchange> ended(exchange);
    try {
        if (status >= 400 && status <= 599 && view(content_type).empty()) {
            return ended->answer(error_answer(status, view(body), ended->path));
        }
        Response response;
        response.status = status >= 200 && status <= 599 ? status : 500;
        response.body = std::string(view(body));
        const auto type = view(content_type);
        if (!type.empty()) response.headers.emplace_back("Content-Type", type);
        ended->answer(std::move(response));
    } catch (const std::exception& failure) {
        ended->answer(error_answer(500, failure.what(), ""));
    }
}

constexpr td_http service{sizeof(td_http), 0, route, respond};

}  // namespace

PluginRoutes::PluginRoutes(Router& router) : router_(router) {
    lent = &router;
}
PluginRoutes::~PluginRoutes() {
    lent = nullptr;
}

const td_http* PluginRoutes::table() {
    return &service;
}

}  // namespace tapedeck::host::api
