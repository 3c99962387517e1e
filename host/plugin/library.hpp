// A loaded plugin file; never unloaded.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Loads with RTLD_NOW | RTLD_LOCAL through Boost.DLL and gives the descriptor under the entry symbol of SDK `major`.
/// It stays valid for ever: threads, thread-locals and statics of a plugin forbid unloading it. Throws Error with the
/// loader's own text. Thread-safe.
const td_plugin& load_plugin(const std::filesystem::path& file, std::uint32_t major = TD_SDK_MAJOR);

}  // namespace tapedeck::host
