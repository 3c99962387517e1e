// Offers the kind and id that good_hook offers.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class OtherHook : public Hook {
public:
    static constexpr const char* id = "good";
    static constexpr const char* doc = "The other one";
    explicit OtherHook(Context) {}
    void admit(int, const td_stream_info&) { throw Error(TD_DENIED, "the other one denies"); }
};

}  // namespace

TAPEDECK_PLUGIN("other-hook", "1.0.0", "example.org", "MIT", "A second hook.good", OtherHook);
