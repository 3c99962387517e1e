// A loaded plugin file; never unloaded.
#pragma once

#include <filesystem>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Loads with RTLD_NOW | RTLD_LOCAL through Boost.DLL and gives the descriptor, which stays valid for ever: threads,
/// thread-locals and statics of a plugin forbid unloading it. Throws Error with the loader's text. Loading the same
/// file again gives the same descriptor. Thread-safe.
const td_plugin& load_plugin(const std::filesystem::path& file);

}  // namespace tapedeck::host
