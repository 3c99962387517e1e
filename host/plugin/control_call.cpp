#include "plugin/control_call.hpp"

#include <fmt/chrono.h>

#include <future>
#include <memory>
#include <thread>

#include "base/log.hpp"
#include "plugin/host_table.hpp"

namespace tapedeck::host {

void control_call(const std::string& what, std::function<void()> call, std::chrono::milliseconds warn,
                  std::chrono::milliseconds limit) {
    std::packaged_task<void()> task(std::move(call));
    auto done = task.get_future();
    std::thread thread(std::move(task));
    if (done.wait_for(warn) != std::future_status::ready) {
        log::warning("{}: still running after {}; it may take {} at most", what, warn, limit);
        if (done.wait_for(limit - warn) != std::future_status::ready) {
            thread.detach();
            throw Error(fmt::format("{}: did not return within {}", what, limit), TD_TIMEOUT);
        }
    }
    thread.join();
    done.get();
}

void* create_controlled(const Extension& extension, CreateFunction create) {
    struct Result {
        void* self = nullptr;
        td_status status = TD_FAILED;
        td_error error = empty_error();
    };
    const auto result = std::make_shared<Result>();
    control_call(fmt::format("{} {}: create", extension.kind, extension.id),
                 [result, create, context = extension.context] {
                     result->status = create(&host_table(), context, &result->self, &result->error);
                 });
    check(extension, "create", result->status, result->error);
    return result->self;
}

void destroy_controlled(const Extension& extension, void (*destroy)(void*), void* self) noexcept {
    try {
        control_call(fmt::format("{} {}: destroy", extension.kind, extension.id), [destroy, self] { destroy(self); });
    } catch (const std::exception& error) {
        log::write(log::Level::Error, error.what());
    }
}

}  // namespace tapedeck::host
