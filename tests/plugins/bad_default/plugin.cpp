// Declares a default that is no value of its type.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class WrongDefault : public Hook {
public:
    static constexpr const char* id = "wrong_default";
    static constexpr const char* doc = "A duration of 'soon'";
    static constexpr std::array keys{Key::duration("delay", "soon")};
    explicit WrongDefault(Context) {}
};

}  // namespace

TAPEDECK_PLUGIN("wrong-default", "1.0.0", "example.org", "MIT", "A default that does not parse", WrongDefault);
