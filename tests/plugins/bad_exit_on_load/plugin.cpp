// Ends the process from a constructor.
#include <cstdlib>
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class NeverUsed : public Hook {
public:
    static constexpr const char* id = "never";
    static constexpr const char* doc = "Never comes so far";
    explicit NeverUsed(Context) {}
};

[[gnu::constructor]] void leave() {
    std::_Exit(3);
}

}  // namespace

TAPEDECK_PLUGIN("never", "1.0.0", "example.org", "MIT", "Ends the process from a constructor.", NeverUsed);
