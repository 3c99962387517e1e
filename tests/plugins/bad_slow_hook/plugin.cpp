// An event never ends until the host asks to give up.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class SlowHook : public Hook {
public:
    static constexpr const char* id = "slow";
    static constexpr const char* doc = "Waits for its deadline";
    explicit SlowHook(Context context) : context_(context) {}
    void event(const td_event&) {
        while (!context_.cancelled()) std::this_thread::yield();
        throw Error(TD_TIMEOUT, "gave up", true);
    }

private:
    Context context_;
};

}  // namespace

TAPEDECK_PLUGIN("slow-hook", "1.0.0", "example.org", "MIT", "Takes all the time there is", SlowHook);
