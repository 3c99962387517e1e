// One of two plugins that have a class of the same name and are built without the SDK's flags: neither may run the
// other's code or read its settings.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class AlikeHook : public Hook {
public:
    static constexpr const char* id = "alike_b";
    static constexpr const char* doc = "The one that denies with 'b'";
    static constexpr std::array keys{Key::integer("of_b", "2").about("Only in b")};

    explicit AlikeHook(Context context) : context_(context) {}
    void admit(int, const td_stream_info&) {
        throw Error(TD_DENIED, "b " + std::to_string(context_.integer(Key::integer("of_b", "2"))));
    }

private:
    Context context_;
};

TAPEDECK_PLUGIN("alike-b", "1.0.0", "example.org", "MIT", "b of two alike", AlikeHook);
