// naming.template: names files by a template, as Flashphoner's stream_record_policy_template does.
#include "tapedeck/plugin.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "pattern.hpp"

namespace tapedeck::naming {

class Template final : public Naming {
public:
    static constexpr const char* id = "template";
    static constexpr const char* doc = "Names files by a template of elements such as {streamName}";
    static constexpr auto pattern_key =
        Key::text("template", "stream-{mediaSessionId}-{login}")
            .aka("stream_record_policy_template")
            .per_recording()
            .reload()
            .about(
                "Name of a file: text and {streamName} {duration} {startTime} {endTime} {startTimeMillis} "
                "{endTimeMillis} {sessionId} {mediaSessionId} {login} {audioCodec} {videoCodec}; a / makes a folder");
    static constexpr auto policy = Key::choice("policy", "template", "template|streamName")
                                       .aka("stream_record_policy")
                                       .reload()
                                       .about("streamName names each file after its stream, whatever the template is");
    static constexpr auto encoding = Key::text("encode", "false")
                                         .aka("encode_record_name")
                                         .about("false, true,HEX or true,BASE64: encodes the whole name");
    static constexpr auto exclude =
        Key::text("exclude").aka("exclude_record_name_characters").about("Characters taken out of names, such as :.,/");
    static constexpr auto duration_everywhere =
        Key::boolean("duration_in_all_formats", "false").about("Fills {duration} in for all containers, not only MP4");
    static constexpr std::array keys{pattern_key, policy, encoding, exclude, duration_everywhere};

    explicit Template(Context context)
        : context_(context),
          rules_{std::string(context.text(exclude)), parse_encoding(context.text(encoding)),
                 context.boolean(duration_everywhere)} {
        pattern(configured());
    }

    std::string name(const td_recording& recording) override {
        // A template of the recording's own stands above the older setting that names files after their streams.
        const auto own = context_.with(recording.options).text(pattern_key);
        return pattern(own == context_.text(pattern_key) ? configured() : own)->name(recording, rules_);
    }

private:
    std::string_view configured() const {
        return context_.text(policy) == "streamName" ? "{streamName}" : context_.text(pattern_key);
    }

    /// The pattern of this text, read once; its unknown elements are warned about once.
    std::shared_ptr<const Pattern> pattern(std::string_view text) {
        const std::lock_guard lock(mutex_);
        if (const auto found = patterns_.find(text); found != patterns_.end()) return found->second;
        if (patterns_.size() >= most_patterns) patterns_.clear();
        const auto made = std::make_shared<const Pattern>(text);
        for (const auto& name : made->unknown())
            context_.warning("stream_record_policy_template '" + std::string(text) + "': {" + name +
                             "} is not an element and stays in the name as it is");
        return patterns_.emplace(text, made).first->second;
    }

    static constexpr std::size_t most_patterns = 64;  // REST may bring any number of templates

    Context context_;
    Rules rules_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const Pattern>, std::less<>> patterns_;
};

}  // namespace tapedeck::naming

TAPEDECK_PLUGIN("naming-template", TAPEDECK_VERSION, "Tapedeck", "MIT", "Names recordings by a template",
                tapedeck::naming::Template);
