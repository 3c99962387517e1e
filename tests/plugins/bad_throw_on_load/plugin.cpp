// Throws out of a static object's constructor.
#include <new>
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class NeverUsed : public Hook {
public:
    static constexpr const char* id = "never";
    static constexpr const char* doc = "Never comes so far";
    explicit NeverUsed(Context) {}
};

struct Throws {
    Throws() { throw std::bad_alloc(); }
};
Throws at_load;

}  // namespace

TAPEDECK_PLUGIN("never", "1.0.0", "example.org", "MIT", "Throws out of a static object's constructor.", NeverUsed);
