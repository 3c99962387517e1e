// A shared library of somebody else. Its constructor must never run in the host or in a child of it.
#include <cstdlib>

extern "C" [[gnu::visibility("default")]] int some_function() {
    return 1;
}

namespace {

[[gnu::constructor]] void run_by_nobody() {
    std::abort();
}

}  // namespace
