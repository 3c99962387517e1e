// From a path to its handler: methods, access, CORS and the shape of errors, alike for every route.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.hpp"
#include "api/message.hpp"
#include "api/workers.hpp"

namespace tapedeck::host::api {

/// Routes requests. Paths under `/rest-api` are answered to allowed clients only, carry the CORS header also with
/// errors, and answer preflights; so do paths of owners, to everybody. Thread-safe; routes may come and go while
/// requests are served.
class Router {
public:
    /// `access` is borrowed for the router's life.
    explicit Router(const Access& access) : access_(access) {}

    /// `path` is exact, or a prefix when it ends with `/*`. `methods` are upper case; HEAD comes with GET. Throws Error
    /// TD_EXISTS when the path and method are taken by another owner. `owner` is only compared.
    void add(const std::vector<std::string>& methods, const std::string& path, Handler handler,
             const void* owner = nullptr);

    /// The same for WebSockets, which have paths of their own: the answer's `socket` takes them. Nothing but a route
    /// decides who may come.
    void add_websocket(const std::string& path, Handler handler, const void* owner);
    bool has_websockets() const;
    bool has_websocket(std::string_view path) const;

    /// Removes all routes of `owner` and waits until none of its handlers runs. Answers may still come.
    void remove(const void* owner);

    /// Answers the request, at once or later. Never throws: what a handler throws becomes an answer.
    void handle(const Request& request, const Answer& answer) const;

    /// Whether the body of a request with this head is worth reading: false where the answer is an error anyway.
    bool wants_body(const Request& head) const;

private:
    struct Route;
    using Methods = std::map<std::string, std::shared_ptr<Route>>;

    struct Paths {
        /// The routes of a path, or null.
        const Methods* find(std::string_view path) const;
        std::map<std::string, Methods, std::less<>> exact, prefixes;
    };

    void add(Paths& paths, const std::vector<std::string>& methods, const std::string& path, Handler handler,
             const void* owner);
    void dispatch(const Request& request, const Answer& answer) const;
    /// The methods that owners answer on this path, with commas; empty: it is no path of theirs.
    std::string methods_of_owners(std::string_view path) const;

    const Access& access_;
    mutable std::mutex mutex_;
    Paths requests_, websockets_;
    // Passwords are checked here and nothing else is done here: each takes some 50 ms, and who guesses many must not
    // hold up downloads and publishers. The last member: its jobs use the others.
    mutable Workers checks_{1, 32};
};

}  // namespace tapedeck::host::api
