// Its descriptor has no name.
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
const td_plugin TD_ENTRY{sizeof(td_plugin), TD_SDK_MAJOR, TD_SDK_MINOR, TD_SDK_MINOR, nullptr, "1.0.0",
                         "example.org",     "MIT",        "Nameless",   extensions,   1};
