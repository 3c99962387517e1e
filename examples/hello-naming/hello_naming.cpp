// Names of files: a folder for each stream, the second of the start as the name.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class ByStream : public Naming {
public:
    static constexpr const char* id = "by_stream";
    static constexpr const char* doc = "<stream>/<second of the start>";
    explicit ByStream(Context) {}
    std::string name(const td_recording& recording) override {
        std::string folder(view(recording.stream));  // any bytes: the host refuses `..`, but not a slash
        for (char& c : folder)
            if (c == '/' || c == '\0') c = '_';
        return folder + '/' + std::to_string(recording.start_us / 1'000'000);
    }
};
TAPEDECK_PLUGIN("hello-naming", "1.0.0", "example.org", "MIT", "Hello as a naming", ByStream);
