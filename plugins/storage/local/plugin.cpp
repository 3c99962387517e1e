// storage.local: keeps recordings in a folder of this machine.
#include "tapedeck/plugin.hpp"

#include <array>
#include <string>

#include "folder.hpp"

namespace tapedeck::local {

class Local final : public Storage {
public:
    static constexpr const char* id = "local";
    static constexpr const char* doc = "Keeps recordings in a folder of this machine";
    static constexpr auto root =
        Key::path("root", "records").aka("record_dir").about("Folder of recordings; the server's user must own it");
    static constexpr std::array keys{root};

    explicit Local(Context context) : context_(context), folder_(std::filesystem::path(context.text(root))) {}

    std::string folder(const td_recording*) const { return folder_.root().string(); }

    std::string put(const td_recording& recording, std::string_view key, bool replace) override {
        return folder_.put(view(recording.path), key, replace, [this] { return context_.cancelled(); });
    }

    void remove(std::string_view key) override { folder_.remove(key); }

private:
    Context context_;
    Folder folder_;
};

}  // namespace tapedeck::local

TAPEDECK_PLUGIN("storage-local", TAPEDECK_VERSION, "Tapedeck", "MIT", "Keeps recordings in a local folder",
                tapedeck::local::Local);
