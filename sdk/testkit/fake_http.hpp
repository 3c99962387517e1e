// The service tapedeck.http/1 of a FakeHost: keeps the routes and calls them as the host would.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/callbacks.hpp"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

struct HttpAnswer {
    std::int32_t status = 0;
    std::string content_type, body;
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
    /// Method and path of each route.
    std::vector<std::pair<std::string, std::string>> routes() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::pair<std::string, std::string>> result;
        result.reserve(routes_.size());
        for (const auto& [name, target] : routes_) result.push_back(name);
        return result;
    }
    /// Calls a route and waits for its answer; throws std::runtime_error where there is no route or no answer.
    HttpAnswer call(std::string_view method, std::string_view path, std::string_view body = {},
                    std::string_view query = {}, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        std::pair<Handler, void*> target;
        {
            const std::lock_guard lock(mutex_);
            const auto found = routes_.find({std::string(method), std::string(path)});
            if (found == routes_.end()) throw std::runtime_error("no route " + std::string(path));
            target = found->second;
        }
        // An unanswered exchange is kept by the promise's other owner, so that a late `respond` does no harm.
        auto* exchange = new Exchange;
        auto answer = exchange->answer.get_future();
        callbacks_.post([=, method = std::string(method), path = std::string(path), body = std::string(body),
                         query = std::string(query)] {
            const td_http_request request{sizeof(td_http_request), 0,
                                          to_text(method),         to_text(path),
                                          to_text(query),          to_text("127.0.0.1:50000"),
                                          to_text(body),           to_text("application/json")};
            target.first(target.second, &request, static_cast<td_http_exchange*>(static_cast<void*>(exchange)));
        });
        if (answer.wait_for(limit) != std::future_status::ready)
            throw std::runtime_error("no answer from " + std::string(path));
        return answer.get();
    }

    static void respond(td_http_exchange* exchange, std::int32_t status, td_text content_type, td_text body) {
        const std::unique_ptr<Exchange> owned(static_cast<Exchange*>(static_cast<void*>(exchange)));
        owned->answer.set_value({status, std::string(string_of(content_type)), std::string(string_of(body))});
    }

private:
    struct Exchange {
        std::promise<HttpAnswer> answer;
    };

    Callbacks& callbacks_;
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::pair<Handler, void*>> routes_;
};

}  // namespace tapedeck::testkit
