// Never returns from a constructor.
#include <unistd.h>

#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class NeverUsed : public Hook {
public:
    static constexpr const char* id = "never";
    static constexpr const char* doc = "Never comes so far";
    explicit NeverUsed(Context) {}
};

[[gnu::constructor]] void hang() {
    for (;;) ::pause();
}

}  // namespace

TAPEDECK_PLUGIN("never", "1.0.0", "example.org", "MIT", "Never returns from a constructor.", NeverUsed);
