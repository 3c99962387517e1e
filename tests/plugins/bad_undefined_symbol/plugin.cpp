// Uses a function that nobody has.
#include <tapedeck/plugin.hpp>

extern "C" int tapedeck_test_nobody_has_this();

using namespace tapedeck;

namespace {

class NeverUsed : public Hook {
public:
    static constexpr const char* id = "never";
    static constexpr const char* doc = "Never comes so far";
    explicit NeverUsed(Context) {}
};

[[gnu::constructor]] void use() {
    tapedeck_test_nobody_has_this();
}

}  // namespace

TAPEDECK_PLUGIN("never", "1.0.0", "example.org", "MIT", "Uses a function that nobody has.", NeverUsed);
