// Is asked and told: refuses streams without a name, logs finished recordings.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class LogHook : public Hook {
public:
    static constexpr const char* id = "log";
    static constexpr const char* doc = "Writes a line for each recording";
    explicit LogHook(Context context) : context_(context) {}
    void admit(int, const td_stream_info& stream) {
        if (view(stream.name).empty()) throw Error(TD_DENIED, "a stream needs a name");
    }
    void event(const td_event& event) {
        if (event.kind == TD_RECORD_STORED) context_.info("stored " + std::string(view(event.recording->uri)));
    }

private:
    Context context_;
};
TAPEDECK_PLUGIN("hello-hook", "1.0.0", "example.org", "MIT", "Hello as a hook", LogHook);
