// Takes finished files: moves them into a folder that must be configured.
#include <filesystem>
#include <tapedeck/plugin.hpp>

using namespace tapedeck;
namespace fs = std::filesystem;

class Folder : public Storage {
public:
    static constexpr const char* id = "folder";
    static constexpr const char* doc = "Moves files into one folder";
    static constexpr auto root = Key::path("root", "").about("Where to").required();
    static constexpr std::array keys{root};
    explicit Folder(Context context) : root_(context.text(root)) {}
    std::string put(const td_recording& r, std::string_view key, bool replace) override {
        const fs::path from(view(r.path)), to = root_ / key;
        if (!fs::exists(from) && fs::exists(to)) return "file://" + to.string();  // done before a crash
        if (!replace && fs::exists(to)) throw Error(TD_EXISTS, "the key is taken");
        fs::create_directories(to.parent_path());
        return fs::rename(from, to), "file://" + to.string();
    }
    void remove(std::string_view key) override { fs::remove(root_ / key); }

private:
    fs::path root_;
};
TAPEDECK_PLUGIN("hello-storage", "1.0.0", "example.org", "MIT", "Hello as a storage", Folder);
