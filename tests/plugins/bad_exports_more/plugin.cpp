// Built without the version script: its helper is visible to everybody.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

extern "C" [[gnu::visibility("default")]] int tapedeck_test_leaked_helper() {
    return 1;
}

namespace {

class LeakyHook : public Hook {
public:
    static constexpr const char* id = "leaky";
    static constexpr const char* doc = "Works, but exports too much";
    explicit LeakyHook(Context) {}
};

}  // namespace

TAPEDECK_PLUGIN("leaky", "1.0.0", "example.org", "MIT", "Exports more than its entry", LeakyHook);
