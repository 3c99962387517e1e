// The instances of the enabled hooks, shared by who asks them and who tells them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "plugin/hook.hpp"

namespace tapedeck::host {

/// One instance of each hook. Shared: admission and dispatcher use the same ones, and a call that hangs keeps its own.
using Hooks = std::vector<std::shared_ptr<const Hook>>;

/// Makes them, on the control thread. Throws Error.
inline Hooks make_hooks(std::span<const Extension* const> extensions) {
    Hooks hooks;
    for (const Extension* extension : extensions) hooks.push_back(std::make_shared<const Hook>(*extension));
    return hooks;
}

}  // namespace tapedeck::host
