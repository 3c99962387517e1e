// One of two plugins that have a class of the same name and are built without the SDK's flags: neither may run the
// other's code or read its settings.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class AlikeHook : public Hook {
public:
    static constexpr const char* id = "alike_a";
    static constexpr const char* doc = "The one that denies with 'a'";
    static constexpr std::array keys{Key::integer("of_a", "1").about("Only in a")};

    explicit AlikeHook(Context context) : context_(context) {}
    void admit(int, const td_stream_info&) {
        throw Error(TD_DENIED, "a " + std::to_string(context_.integer(Key::integer("of_a", "1"))));
    }

private:
    Context context_;
};

TAPEDECK_PLUGIN("alike-a", "1.0.0", "example.org", "MIT", "a of two alike", AlikeHook);
