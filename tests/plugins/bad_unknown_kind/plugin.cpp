// Offers something of a kind that this host does not have, and a hook.
#include <tapedeck/plugin.hpp>

namespace {

class Plain : public tapedeck::Hook {
public:
    static constexpr const char* id = "plain";
    static constexpr const char* doc = "A plain hook";
    explicit Plain(tapedeck::Context) {}
};

constexpr std::uint32_t table[2]{sizeof table, 0};
constexpr td_extension thing{sizeof(td_extension), 0, "tapedeck.thing/2", "x", "From a later SDK", nullptr, table};
constexpr const td_extension* extensions[] = {&thing, &tapedeck::detail::Extension<Plain>::value};

}  // namespace

extern "C" [[gnu::visibility("default")]] const td_plugin TD_ENTRY;
const td_plugin TD_ENTRY{sizeof(td_plugin),
                         TD_SDK_MAJOR,
                         TD_SDK_MINOR,
                         TD_SDK_MINOR,
                         "thing",
                         "1.0.0",
                         "example.org",
                         "MIT",
                         "Half of it is unknown",
                         extensions,
                         2};
