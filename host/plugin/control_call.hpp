// A [control] call into a plugin, with the promise that it returns: watched from another thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Runs `call` on a thread of its own. Logs a warning when it has not returned after `warn`; throws Error(TD_TIMEOUT)
/// after `limit` and leaves the thread behind, so `call` must own all that it uses. Exceptions of `call` come through.
void control_call(const std::string& what, std::function<void()> call,
                  std::chrono::milliseconds warn = std::chrono::seconds(1),
                  std::chrono::milliseconds limit = std::chrono::seconds(10));

/// The `create` that protocols, namings, storages and hooks have in common. Gives the instance; throws as `check` does.
using CreateFunction = td_status (*)(const td_host*, const td_context*, void**, td_error*);
void* create_controlled(const Extension& extension, CreateFunction create);

/// The last call into an instance; one that hangs is named in the log and left behind. Throws nothing.
void destroy_controlled(const Extension& extension, void (*destroy)(void*), void* self) noexcept;

}  // namespace tapedeck::host
