// Needs a library that is not found.
#include <tapedeck/plugin.hpp>

extern "C" int tapedeck_test_not_there();

using namespace tapedeck;

namespace {

class NeverUsed : public Hook {
public:
    static constexpr const char* id = "never";
    static constexpr const char* doc = "Never comes so far";
    explicit NeverUsed(Context) {}
};

[[gnu::constructor]] void use() {
    tapedeck_test_not_there();
}

}  // namespace

TAPEDECK_PLUGIN("never", "1.0.0", "example.org", "MIT", "Needs a library that is not found.", NeverUsed);
