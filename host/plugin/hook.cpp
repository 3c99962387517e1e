#include "plugin/hook.hpp"

#include <cstring>

#include "base/text.hpp"
#include "plugin/control_call.hpp"

namespace tapedeck::host {

Hook::Hook(const Extension& extension)
    : extension_(extension),
      table_(static_cast<const td_hook*>(extension.declared->table)),
      self_(create_controlled(extension, table_->create)) {}

Hook::~Hook() {
    destroy_controlled(extension_, table_->destroy, self_);
}

std::optional<std::string> Hook::admit(std::int32_t action, const td_stream_info& info) const {
    const auto function = offered(table_, &td_hook::admit);
    if (function == nullptr) return std::nullopt;
    td_error error = empty_error();
    const td_status status = function(self_, action, &info, &error);
    if (status == TD_DENIED) return printable({error.text, strnlen(error.text, sizeof error.text)}, sizeof error.text);
    check(extension_, "admit", status, error);
    return std::nullopt;
}

void Hook::event(const td_event& event) const {
    const auto function = offered(table_, &td_hook::event);
    if (function == nullptr) return;
    td_error error = empty_error();
    check(extension_, "event", function(self_, &event, &error), error);
}

}  // namespace tapedeck::host
