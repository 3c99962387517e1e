// The facts of a recording or a client as TAPEDECK_* variables.
#include "facts.hpp"

#include <cstdint>

#include "tapedeck/context.hpp"

namespace tapedeck::script {

namespace {

class Variables {
public:
    explicit Variables(const std::filesystem::path& home) { text("HOME", home.native()); }

    void text(std::string_view name, std::string_view value) {
        lines.push_back("TAPEDECK_" + std::string(name) + '=' + std::string(value));
    }
    void number(std::string_view name, std::uint64_t value) { text(name, std::to_string(value)); }
    void milliseconds(std::string_view name, std::int64_t microseconds) {
        text(name, microseconds == TD_NO_TIME ? std::string() : std::to_string(microseconds / 1000));
    }

    std::vector<std::string> lines;
};

/// A client chooses these names: letters and digits stay, all else becomes `_`.
std::string variable_name(std::string_view name) {
    std::string result;
    for (const char c : name.substr(0, 64)) {
        const bool is_lower = c >= 'a' && c <= 'z';
        const bool is_plain = is_lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        result += is_lower ? static_cast<char>(c - 'a' + 'A') : is_plain ? c : '_';
    }
    return result;
}

}  // namespace

std::vector<std::string> facts_of(const td_event& event, const std::filesystem::path& home) {
    Variables all(home);
    all.text("EVENT_ID", view(event.id));
    all.number("ATTEMPT", event.attempt);
    const auto& recording = *event.recording;
    all.text("STREAM", view(recording.stream));
    all.text("FILE", view(recording.path));
    all.text("NAME", view(recording.name));
    all.text("URI", view(recording.uri));
    all.text("EXTENSION", view(recording.extension));
    all.text("PROTOCOL", view(recording.protocol));
    all.text("MEDIA_SESSION", view(recording.media_session));
    all.text("SESSION", view(recording.session));
    all.text("LOGIN", view(recording.login));
    all.text("VIDEO_CODEC", view(recording.video_codec));
    all.text("AUDIO_CODEC", view(recording.audio_codec));
    all.number("SEGMENT", recording.segment);
    all.number("BYTES", recording.bytes);
    all.milliseconds("DURATION_MS", recording.duration_us);
    all.milliseconds("START_MS", recording.start_us);
    all.milliseconds("END_MS", recording.end_us);
    all.milliseconds("MEDIA_START_MS", recording.media_start_us);
    all.milliseconds("MEDIA_END_MS", recording.media_end_us);
    all.number("RECOVERED", (recording.flags & TD_RECORDING_RECOVERED) != 0 ? 1 : 0);
    return all.lines;
}

std::vector<std::string> facts_of(const td_stream_info& client, const std::filesystem::path& home) {
    Variables all(home);
    all.text("STREAM", view(client.name));
    all.text("PROTOCOL", view(client.protocol));
    all.text("MEDIA_SESSION", view(client.media_session));
    all.text("SESSION", view(client.session));
    all.text("LOGIN", view(client.login));
    all.text("APPLICATION", view(client.application));
    all.text("REMOTE", view(client.remote));
    std::string_view password, token;
    for (std::size_t i = 0; i < client.attribute_count; ++i) {
        const auto key = view(client.attributes[i].key);
        const auto value = view(client.attributes[i].value);
        if (key == "password")
            password = value;
        else if (key == "token")
            token = value;
        else
            all.text("ATTRIBUTE_" + variable_name(key), value);
    }
    all.text("PASSWORD", password);
    all.text("TOKEN", token);
    return all.lines;
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string result(text.substr(0, limit));
    for (char& c : result)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    if (text.size() > limit) result += "...";
    return result;
}

}  // namespace tapedeck::script
