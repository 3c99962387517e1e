// Loads, but is off until its REQUIRED setting is given.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class NeedsBucket : public Storage {
public:
    static constexpr const char* id = "bucket";
    static constexpr const char* doc = "Needs to be told where";
    static constexpr std::array keys{Key::text("bucket").about("Where to").required()};

    explicit NeedsBucket(Context) {}
    std::string put(const td_recording&, std::string_view key, bool) override { return "bucket:" + std::string(key); }
    void remove(std::string_view) override {}
};

}  // namespace

TAPEDECK_PLUGIN("bucket", "1.0.0", "example.org", "MIT", "A storage with a required setting", NeedsBucket);
