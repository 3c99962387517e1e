#include "plugin/protocol.hpp"

#include <fmt/format.h>

#include <memory>

#include "base/log.hpp"
#include "plugin/context.hpp"
#include "plugin/control_call.hpp"
#include "plugin/services.hpp"

namespace tapedeck::host {

Protocol::Protocol(const Extension& extension)
    : extension_(extension),
      table_(static_cast<const td_protocol*>(extension.declared->table)),
      self_(create_controlled(extension, table_->create)) {}

Protocol::~Protocol() {
    if (running_) {
        try {
            stop();
        } catch (const std::exception& error) {
            log::write(log::Level::Error, error.what());
        }
    }
    if (!hung_) destroy_controlled(extension_, table_->destroy, self_);
}

void Protocol::start() {
    try {
        call("start", table_->start);
        running_ = true;
    } catch (const Error&) {
        extension_.context->services.silent(extension_.name());
        throw;
    }
}

void Protocol::reload() {
    if (const auto function = offered(table_, &td_protocol::reload); function != nullptr) call("reload", function);
}

void Protocol::stop() {
    if (!running_) return;
    running_ = false;
    extension_.context->services.silent(extension_.name());
    call("stop", table_->stop);
}

void Protocol::call(const char* what, td_status (*function)(void*, td_error*)) {
    if (hung_)
        throw Error(fmt::format("protocol {}: {}: an earlier call never returned", extension_.id, what), TD_TIMEOUT);
    struct Result {
        td_status status = TD_FAILED;
        td_error error = empty_error();
    };
    const auto result = std::make_shared<Result>();
    try {
        control_call(fmt::format("protocol {}: {}", extension_.id, what),
                     [result, function, self = self_] { result->status = function(self, &result->error); });
    } catch (const Error& error) {
        hung_ = error.status() == TD_TIMEOUT;
        throw;
    }
    check(extension_, what, result->status, result->error);
}

}  // namespace tapedeck::host
