#include "track_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::mp4 {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "\\u%04x", byte);
            out += code.data();
        } else {
            out += c;
        }
    }
    return out + '"';
}

/// Appends `"name": "value"`.
void member(std::string& object, std::string_view name, std::string_view value) {
    if (object.back() != '{') object += ", ";
    object += quoted(name) + ": " + quoted(value);
}

std::string edit(std::int64_t from_ms, std::int64_t to_ms, std::string_view type) {
    std::string object = "{";
    member(object, "startInMs", std::to_string(from_ms));
    member(object, "endInMs", std::to_string(to_ms));
    member(object, "type", type);
    return object + '}';
}

/// The four characters of the first sample entry.
std::string codec_of(const TrackHead& head) {
    const Bytes& entry = head.entries.front();
    std::string text(entry.begin() + 4, entry.begin() + 8);
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return text;
}

/// Channels of an audio sample entry (ISO/IEC 14496-12 §12.2.3); 0 when it is cut.
unsigned channels_of(const TrackHead& head) {
    constexpr std::size_t at = box_header_size + 16;
    const Bytes& entry = head.entries.front();
    return entry.size() < at + 2 ? 0 : static_cast<unsigned>(entry[at] << 8 | entry[at + 1]);
}

std::string report(const IndexedTrack& track, std::size_t number) {
    const TrackHead& head = track.head;
    const td_rational ticks{1, static_cast<std::int32_t>(head.timescale)};
    const auto ms = [&](std::int64_t time) { return to_us(time - head.media_time, ticks) / 1000; };
    const std::int64_t first = track.index.samples() == 0 ? head.media_time : track.index.shown_at(0);
    const std::int64_t begin = std::max<std::int64_t>(0, ms(first));
    const std::int64_t end = std::max(begin, track.index.samples() == 0 ? 0 : ms(track.end_time()));
    std::string object = "{";
    member(object, "durationInMS", std::to_string(end));
    member(object, "trackType", head.video ? "VIDEO" : "AUDIO");
    member(object, "trackId", std::to_string(number));
    member(object, "timescale", std::to_string(head.timescale));
    member(object, "trackCodec", codec_of(head));
    if (head.video) {
        member(object, "width", std::to_string(head.width));
        member(object, "height", std::to_string(head.height));
    } else {
        member(object, "channels", std::to_string(channels_of(head)));
        member(object, "sampleRate", std::to_string(head.timescale));
    }
    object += ", \"trackEdits\": [";
    if (begin > 0) object += edit(0, begin, "pause") + ", ";
    return object + edit(begin, end, "media") + "]}";
}

}  // namespace

std::string track_report(const MovieIndex& index) {
    std::string array = "[";
    for (std::size_t i = 0; i < index.tracks().size(); ++i) {
        if (i != 0) array += ",\n ";
        array += report(index.tracks()[i], i);
    }
    return array + "]\n";
}

}  // namespace tapedeck::mp4
