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

Response preflight() {
    Response response;
    response.headers = {{"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
                        {"Access-Control-Allow-Headers", "Content-Type, Authorization"},
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
    const bool prefix = path.ends_with("/*");
    const auto key = prefix ? path.substr(0, path.size() - 1) : path;
    if (!key.starts_with('/')) throw Error(fmt::format("route '{}' does not begin with a slash", printable(path)));
    const std::lock_guard lock(mutex_);
    auto& known = (prefix ? prefixes_ : exact_)[key];
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
        for (auto* paths : {&exact_, &prefixes_}) {
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

const Router::Methods* Router::find(std::string_view path) const {
    if (const auto found = exact_.find(path); found != exact_.end()) return &found->second;
    // The longest prefix is the last in order that begins the path.
    for (auto entry = std::make_reverse_iterator(prefixes_.upper_bound(path)); entry != prefixes_.rend(); ++entry) {
        if (path.starts_with(entry->first)) return &entry->second;
    }
    return nullptr;
}

bool Router::wants_body(const Request& head) const {
    if (is_rest(head.path) && head.header("authorization").empty() && !access_.allows_address(head.remote)) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    const auto* methods = find(head.path);
    return methods != nullptr && methods->contains(method_of(head));
}

void Router::handle(const Request& request, const Answer& answer) const {
    const bool head = request.method == "HEAD";
    if (!is_rest(request.path)) {
        dispatch(request, [answer, head](Response response) {
            response.without_body = head;
            answer(std::move(response));
        });
        return;
    }
    const Answer rest = [answer, head](Response response) {
        response.without_body = head;
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        answer(std::move(response));
    };
    if (request.method == "OPTIONS") return rest(preflight());
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
        if (const auto* methods = find(request.path)) {
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
