// A name template, read once and filled in for each file.
#include "pattern.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "characters.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::naming {

namespace {

constexpr std::size_t longest_component = 255;  // bytes, of every Linux file system
constexpr std::size_t number_room = 16;         // for `_N` and for what makes a taken name unique

/// What an element stands for; nothing where it is not known yet.
using Value = std::optional<std::string>;

bool is_final(const td_recording& recording) {
    return (recording.flags & TD_RECORDING_FINAL) != 0;
}

Value milliseconds(const td_recording& recording, std::int64_t microseconds) {
    if (microseconds != TD_NO_TIME) {
        const auto floor = microseconds / 1000 - (microseconds % 1000 < 0 ? 1 : 0);
        return std::to_string(floor);
    }
    if (is_final(recording)) return "-1";
    return std::nullopt;
}

Value frame_time(const td_recording& recording, std::int64_t microseconds) {
    if ((recording.flags & TD_RECORDING_MULTI) != 0) return "-1";
    return milliseconds(recording, microseconds);
}

Value codec(const td_recording& recording, td_text name) {
    const bool any = recording.video_codec.size + recording.audio_codec.size > 0;
    if (!any && !is_final(recording)) return std::nullopt;
    std::string result(view(name));
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return result;
}

Value stream_name(const td_recording& recording, const Rules&) {
    const auto name = view(recording.stream);
    return (recording.flags & TD_RECORDING_MULTI) != 0 ? portable(name) : std::string(name);
}

Value duration(const td_recording& recording, const Rules& rules) {
    const auto extension = view(recording.extension);
    if (!rules.duration_in_all_formats && extension != "mp4") return "";
    return milliseconds(recording, recording.duration_us);
}

struct Element {
    std::string_view name;
    std::size_t limit;  /// of the value, in characters; 0: none
    Value (*value)(const td_recording&, const Rules&);
};

/// R17, row by row.
constexpr std::array<Element, 11> elements{{
    {"streamName", 0, stream_name},
    {"duration", 0, duration},
    {"startTime", 20, [](const td_recording& r, const Rules&) { return frame_time(r, r.media_start_us); }},
    {"endTime", 20, [](const td_recording& r, const Rules&) { return frame_time(r, r.media_end_us); }},
    {"startTimeMillis", 20, [](const td_recording& r, const Rules&) { return milliseconds(r, r.start_us); }},
    {"endTimeMillis", 20, [](const td_recording& r, const Rules&) { return milliseconds(r, r.end_us); }},
    {"sessionId", 60,
     [](const td_recording& r, const Rules&) { return Value(encode(Encoding::base64, view(r.session))); }},
    {"mediaSessionId", 36, [](const td_recording& r, const Rules&) { return Value(view(r.media_session)); }},
    {"login", 32, [](const td_recording& r, const Rules&) { return Value(view(r.login)); }},
    {"audioCodec", 4, [](const td_recording& r, const Rules&) { return codec(r, r.audio_codec); }},
    {"videoCodec", 4, [](const td_recording& r, const Rules&) { return codec(r, r.video_codec); }},
}};

}  // namespace

Pattern::Pattern(std::string_view text) {
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('/', at), text.size());
        const bool is_stem = end == text.size();
        if (end > at || is_stem) components_.push_back(parse_component(text.substr(at, end - at)));
        at = end + 1;
    }
}

Pattern::Component Pattern::parse_component(std::string_view text) {
    Component result;
    while (!text.empty()) {
        // Text goes to the last `{` before a `}`: in `{{login}` the first brace is text.
        const auto close = text.find('}');
        const auto open = close == std::string_view::npos ? close : text.substr(0, close).rfind('{');
        if (open == std::string_view::npos) {
            const auto end = close == std::string_view::npos ? text.size() : close + 1;
            result.push_back({std::string(text.substr(0, end)), std::nullopt});
            text.remove_prefix(end);
            continue;
        }
        if (open > 0) result.push_back({std::string(text.substr(0, open)), std::nullopt});
        const auto name = text.substr(open + 1, close - open - 1);
        const auto found = std::ranges::find(elements, name, &Element::name);
        if (found != elements.end()) {
            result.push_back({{}, static_cast<std::size_t>(found - elements.begin())});
        } else {
            result.push_back({std::string(text.substr(open, close + 1 - open)), std::nullopt});
            if (std::ranges::find(unknown_, name) == unknown_.end()) unknown_.emplace_back(name);
        }
        text.remove_prefix(close + 1);
    }
    return result;
}

std::string Pattern::fill(const Component& component, const td_recording& recording, const Rules& rules,
                          std::size_t room) const {
    std::string done;  // encoded, and gaps
    std::string run;   // what was expanded since the last gap
    const auto finish_run = [&] {
        run = without(run, rules.exclude);
        if (rules.encoding == Encoding::none) {
            done += run;
        } else {
            const auto left = room - std::min(room, done.size());
            done += encode(rules.encoding, cut_to_bytes(run, encodable(rules.encoding, left)));
        }
        run.clear();
    };
    for (const auto& piece : component) {
        if (!piece.element) {
            run += piece.text;
            continue;
        }
        const auto& element = elements[*piece.element];
        if (const auto value = element.value(recording, rules)) {
            run += element.limit == 0 ? std::string_view(*value) : first_characters(*value, element.limit);
        } else {
            finish_run();
            done.append("{").append(element.name).append("}");
        }
    }
    finish_run();
    return rules.encoding == Encoding::none ? safe_component(done) : done;
}

std::string Pattern::name(const td_recording& recording, const Rules& rules) const {
    std::string result;
    for (std::size_t i = 0; i + 1 < components_.size(); ++i) {
        const auto folder = fill(components_[i], recording, rules, longest_component);
        result += folder.empty() ? "_" : cut_to_bytes(folder, longest_component);
        result += '/';
    }
    const auto taken = number_room + 1 + recording.extension.size;
    auto stem = fill(components_.back(), recording, rules, longest_component - std::min(longest_component, taken));
    if (stem.empty()) stem = safe_component(first_characters(view(recording.media_session), 36));
    return result + (stem.empty() ? "unnamed" : stem);
}

}  // namespace tapedeck::naming
