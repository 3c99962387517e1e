#include "api/router.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "access/keys.hpp"
#include "api/answers.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

bool is_rest(std::string_view path) {
    return path == "/rest-api" || path.starts_with("/rest-api/");
}

Response preflight(std::string_view methods, std::string_view headers) {
    Response response;
    response.headers = {{"Access-Control-Allow-Methods", std::string(methods)},
                        {"Access-Control-Allow-Headers", std::string(headers)},
                        {"Access-Control-Max-Age", "3600"}};
    return response;
}

Response refusal(Access::Verdict verdict, const Request& request) {
    const auto way = fmt::format("add its network to the setting {}", rest_allowed_clients.name);
    if (verdict == Access::Verdict::Denied) {
        return error_answer(403,
                            fmt::format("REST is closed to {}; {}, or a user or token to conf/access.yaml",
                                        printable(request.remote), way),
                            request.path);
    }
    auto response = error_answer(401,
                                 fmt::format("REST wants a user or token of conf/access.yaml from {}; send one, or {}",
                                             printable(request.remote), way),
                                 request.path);
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"tapedeck\", charset=\"UTF-8\"");
    return response;
}

/// A route's HEAD is its GET without the body.
std::string method_of(const Request& request) {
    return request.method == "HEAD" ? "GET" : request.method;
}

}  // namespace

struct Router::Route {
    Handler handler;
    const void* owner;
    std::atomic<int> running = 0;  // calls of the handler that did not return yet
};

void Router::add(const std::vector<std::string>& methods, const std::string& path, Handler handler, const void* owner) {
    add(requests_, methods, path, std::move(handler), owner);
}

void Router::add_websocket(const std::string& path, Handler handler, const void* owner) {
    add(websockets_, {"GET"}, path, std::move(handler), owner);
}

bool Router::has_websockets() const {
    const std::lock_guard lock(mutex_);
    return !websockets_.exact.empty() || !websockets_.prefixes.empty();
}

bool Router::has_websocket(std::string_view path) const {
    const std::lock_guard lock(mutex_);
    return websockets_.find(path) != nullptr;
}

void Router::add(Paths& paths, const std::vector<std::string>& methods, const std::string& path, Handler handler,
                 const void* owner) {
    const bool prefix = path.ends_with("/*");
    const auto key = prefix ? path.substr(0, path.size() - 1) : path;
    if (!key.starts_with('/')) throw Error(fmt::format("route '{}' does not begin with a slash", printable(path)));
    const std::lock_guard lock(mutex_);
    auto& known = (prefix ? paths.prefixes : paths.exact)[key];
    for (const auto& method : methods) {
        if (known.contains(method)) {
            throw Error(fmt::format("route {} {} is taken", printable(method), printable(path)), TD_EXISTS);
        }
    }
    auto route = std::make_shared<Route>();
    route->handler = std::move(handler);
    route->owner = owner;
    for (const auto& method : methods) known.emplace(method, route);
}

void Router::remove(const void* owner) {
    std::vector<std::shared_ptr<Route>> removed;
    {
        const std::lock_guard lock(mutex_);
        for (auto* paths : {&requests_.exact, &requests_.prefixes, &websockets_.exact, &websockets_.prefixes}) {
            for (auto& [path, methods] : *paths) {
                std::erase_if(methods, [&](const auto& entry) {
                    if (entry.second->owner != owner) return false;
                    removed.push_back(entry.second);
                    return true;
                });
            }
            std::erase_if(*paths, [](const auto& entry) { return entry.second.empty(); });
        }
    }
    for (const auto& route : removed) {
        for (int running = route->running; running != 0; running = route->running) route->running.wait(running);
    }
}

const Router::Methods* Router::Paths::find(std::string_view path) const {
    if (const auto found = exact.find(path); found != exact.end()) return &found->second;
    // The longest prefix is the last in order that begins the path.
    for (auto entry = std::make_reverse_iterator(prefixes.upper_bound(path)); entry != prefixes.rend(); ++entry) {
        if (path.starts_with(entry->first)) return &entry->second;
    }
    return nullptr;
}

std::string Router::methods_of_owners(std::string_view path) const {
    const std::lock_guard lock(mutex_);
    std::string listed;
    const auto* methods = requests_.find(path);
    if (methods == nullptr) return listed;
    for (const auto& [method, route] : *methods) {
        if (route->owner != nullptr) listed += (listed.empty() ? "" : ", ") + method;
    }
    return listed;
}

bool Router::wants_body(const Request& head) const {
    if (is_rest(head.path) && head.header("authorization").empty() && !access_.allows_address(head.remote)) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    const auto* methods = requests_.find(head.path);
    return methods != nullptr && methods->contains(method_of(head));
}

void Router::handle(const Request& request, const Answer& answer) const {
    if (request.upgrade) return dispatch(request, answer);
    const bool head = request.method == "HEAD";
    if (!is_rest(request.path)) {
        const auto methods = methods_of_owners(request.path);
        const Answer open = [answer, head, cors = !methods.empty()](Response response) {
            response.without_body = head;
            if (cors) {
                response.headers.emplace_back("Access-Control-Allow-Origin", "*");
                response.headers.emplace_back("Access-Control-Expose-Headers", "Location, ETag, Link, Allow");
            }
            answer(std::move(response));
        };
        const bool is_answered = methods.empty() || methods.find("OPTIONS") != std::string::npos;
        if (request.method == "OPTIONS" && !is_answered)
            return open(preflight(methods + ", OPTIONS", "Content-Type, Authorization, If-Match"));
        return dispatch(request, open);
    }
    const Answer rest = [answer, head](Response response) {
        response.without_body = head;
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        answer(std::move(response));
    };
    if (request.method == "OPTIONS") return rest(preflight("GET, POST, OPTIONS", "Content-Type, Authorization"));
    if (access_.allows_address(request.remote)) return dispatch(request, rest);
    const auto authorization = request.header("authorization");
    if (authorization.empty()) return rest(refusal(access_.check({}), request));
    const bool accepted = checks_.post([this, request, rest] {
        const auto verdict = access_.check(request.header("authorization"));
        if (verdict != Access::Verdict::Allowed) return rest(refusal(verdict, request));
        dispatch(request, rest);
    });
    if (!accepted) rest(error_answer(503, "too many requests wait to be checked; try again", request.path));
}

void Router::dispatch(const Request& request, const Answer& answer) const {
    std::shared_ptr<Route> route;
    std::string allowed;
    {
        const std::lock_guard lock(mutex_);
        const auto& paths = request.upgrade ? websockets_ : requests_;
        if (const auto* methods = paths.find(request.path)) {
            if (const auto found = methods->find(method_of(request)); found != methods->end()) {
                route = found->second;
                ++route->running;
            } else {
                for (const auto& [method, unused] : *methods) {
                    allowed += (allowed.empty() ? "" : ", ") + method + (method == "GET" ? ", HEAD" : "");
                }
            }
        }
    }
    if (!route) {
        if (allowed.empty()) return answer(error_answer(404, "no such path", request.path));
        auto response = error_answer(
            405, fmt::format("{} is not answered here; send {}", printable(request.method, 20), allowed), request.path);
        response.headers.emplace_back("Allow", allowed);
        return answer(std::move(response));
    }
    try {
        route->handler(request, answer);
    } catch (const Error& failure) {
        answer(error_answer(status_of(failure), failure.what(), request.path));
    } catch (const std::exception& failure) {
        answer(error_answer(500, failure.what(), request.path));
    }
    if (--route->running == 0) route->running.notify_all();
}

}  // namespace tapedeck::host::api
