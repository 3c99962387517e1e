// The hook `template`: refuses streams that are not on a list and says where a finished recording lies.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {  // names of your classes are then yours alone

class TemplateHook : public Hook {
public:
    // What operators write in the configuration (hook.template) and what `tapedeck --list-plugins` shows.
    static constexpr const char* id = "template";
    static constexpr const char* doc = "Admits streams by the start of their name";

    // `hook.template.prefix = cam`: declared once, here; the host reads, checks and documents it.
    static constexpr auto prefix = Key::text("prefix", "").about("Streams must begin so; empty: all may").reload();
    static constexpr std::array keys{prefix};

    // Reads what it needs, touches nothing outside: --check-config makes instances, too.
    explicit TemplateHook(Context context) : context_(context) {}

    // On a pool thread, several at once. Throwing TD_DENIED refuses; the client gets the text.
    void admit(int action, const td_stream_info& stream) {
        if (action == TD_PUBLISH && !view(stream.name).starts_with(context_.text(prefix)))
            throw Error(TD_DENIED, "streams begin with " + std::string(context_.text(prefix)));
    }

    // At least once for each event; a failure with `retryable` comes again later.
    void event(const td_event& event) {
        if (event.kind == TD_RECORD_STORED) context_.info("stored: " + std::string(view(event.recording->uri)));
    }

private:
    Context context_;
};

}  // namespace

TAPEDECK_PLUGIN("template-hook", PLUGIN_VERSION, "example.org", "MIT", "A plugin to start from", TemplateHook);
