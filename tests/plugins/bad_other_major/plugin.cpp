// Built for SDK 7. Its constructor must never run.
#include <tapedeck/abi.h>

#include <cstdlib>

extern "C" [[gnu::visibility("default")]] const td_plugin tapedeck_plugin_v7;
const td_plugin tapedeck_plugin_v7{sizeof(td_plugin), 7,       0, 0, "seven", "7.0.0", "example.org", "MIT",
                                   "From the future", nullptr, 0};

namespace {

[[gnu::constructor]] void run_by_nobody() {
    std::abort();
}

}  // namespace
