// Built for another minor of SDK 0, before which nothing is additive.
#include <tapedeck/plugin.hpp>

namespace {

class Plain : public tapedeck::Hook {
public:
    static constexpr const char* id = "plain";
    static constexpr const char* doc = "A plain hook";
    explicit Plain(tapedeck::Context) {}
};

constexpr const td_extension* extensions[] = {&tapedeck::detail::Extension<Plain>::value};

}  // namespace

extern "C" [[gnu::visibility("default")]] const td_plugin TD_ENTRY;
const td_plugin TD_ENTRY{sizeof(td_plugin), TD_SDK_MAJOR, TD_SDK_MINOR + 1,           0,          "minor", "1.0.0",
                         "example.org",     "MIT",        "Built for the next minor", extensions, 1};
