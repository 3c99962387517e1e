// Loads and works: a hook with settings of several types.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class GoodHook : public Hook {
public:
    static constexpr const char* id = "good";
    static constexpr const char* doc = "Says what it was told";
    static constexpr auto greeting = Key::text("greeting", "hello").about("First word of each line");
    static constexpr auto patience = Key::duration("patience", "2").per("ms").about("How long it may take").reload();
    static constexpr auto folder = Key::path("folder", "logs").about("Where nothing is written");
    static constexpr std::array keys{greeting, patience, folder};

    explicit GoodHook(Context context) : context_(context) {}
    void admit(int, const td_stream_info& info) {
        if (view(info.name).empty()) throw Error(TD_DENIED, "a stream needs a name");
    }
    void event(const td_event& event) {
        context_.info(std::string(context_.text(greeting)) + " " + std::string(view(event.id)));
    }

private:
    Context context_;
};

}  // namespace

TAPEDECK_PLUGIN("good-hook", "1.2.3", "example.org", "MIT", "A hook that works", GoodHook);
