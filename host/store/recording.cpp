#include "store/recording.hpp"

#include <boost/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "tapedeck/utf8.hpp"

namespace tapedeck::host {
namespace {

namespace json = boost::json;

/// Calls `visit(name, member)` for every member that the text has.
template <class Owner, class Visit>
void each_member(Owner& recording, Visit visit) {
    visit("flags", recording.flags);
    visit("segment", recording.segment);
    visit("row", recording.row);
    visit("stream", recording.stream);
    visit("protocol", recording.protocol);
    visit("mediaSession", recording.media_session);
    visit("session", recording.session);
    visit("login", recording.login);
    visit("writer", recording.writer);
    visit("extension", recording.extension);
    visit("videoCodec", recording.video_codec);
    visit("audioCodec", recording.audio_codec);
    visit("name", recording.name);
    visit("path", recording.path);
    visit("uri", recording.uri);
    visit("start", recording.start_us);
    visit("end", recording.end_us);
    visit("mediaStart", recording.media_start_us);
    visit("mediaEnd", recording.media_end_us);
    visit("duration", recording.duration_us);
    visit("bytes", recording.bytes);
}

constexpr char hex_digits[] = "0123456789abcdef";

/// A string, or `{"hex": "..."}` of bytes that are no UTF-8, which databases and JSON readers refuse.
json::value value_of(const std::string& text) {
    if (is_utf8(text)) return json::string(text);
    json::string hex;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        hex.push_back(hex_digits[byte >> 4]);
        hex.push_back(hex_digits[byte & 15]);
    }
    return json::object{{"hex", hex}};
}

std::string text_from(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string(*text);
    const std::string_view hex = value.as_object().at("hex").as_string();
    std::string text;
    for (std::size_t n = 0; n + 1 < hex.size(); n += 2) {
        const auto high = std::string_view(hex_digits).find(hex[n]);
        const auto low = std::string_view(hex_digits).find(hex[n + 1]);
        if (high > 15 || low > 15) throw Error("not a hexadecimal digit", TD_MALFORMED);
        text.push_back(static_cast<char>(high << 4 | low));
    }
    return text;
}

struct Write {
    json::object& out;
    void operator()(const char* name, const std::string& text) const {
        if (!text.empty()) out[name] = value_of(text);
    }
    void operator()(const char* name, std::int64_t number) const {
        if (number != TD_NO_TIME) out[name] = number;
    }
    void operator()(const char* name, std::uint64_t number) const { out[name] = number; }
    void operator()(const char* name, std::uint32_t number) const { out[name] = number; }
};

struct Read {
    const json::object& in;
    template <class Member>
    void operator()(const char* name, Member& member) const {
        const json::value* value = in.if_contains(name);
        if (value == nullptr) return;
        if constexpr (std::is_same_v<Member, std::string>) {
            member = text_from(*value);
        } else {
            member = value->to_number<Member>();
        }
    }
};

}  // namespace

td_recording Recording::abi() const {
    td_recording out{};
    out.size = sizeof out;
    out.flags = flags;
    out.segment = segment;
    out.stream = text_of(stream);
    out.protocol = text_of(protocol);
    out.media_session = text_of(media_session);
    out.session = text_of(session);
    out.login = text_of(login);
    out.extension = text_of(extension);
    out.video_codec = text_of(video_codec);
    out.audio_codec = text_of(audio_codec);
    out.name = text_of(name);
    out.path = text_of(path);
    out.uri = text_of(uri);
    out.memo = text_of(memo);
    out.start_us = start_us;
    out.end_us = end_us;
    out.media_start_us = media_start_us;
    out.media_end_us = media_end_us;
    out.duration_us = duration_us;
    out.bytes = bytes;
    out.options = checked.get();
    return out;
}

std::string Recording::to_json() const {
    json::object out;
    each_member(*this, Write{out});
    if (!options.empty()) {
        json::object settings;
        for (const auto& [key, value] : options) settings[key] = value_of(value);
        out["options"] = std::move(settings);
    }
    return json::serialize(out);
}

Recording Recording::from_json(std::string_view text) {
    try {
        json::parse_options limits;
        limits.max_depth = 4;
        const json::value parsed = json::parse({text.data(), text.size()}, {}, limits);
        const json::object& in = parsed.as_object();
        Recording recording;
        each_member(recording, Read{in});
        if (const auto* settings = in.if_contains("options")) {
            for (const auto& [key, value] : settings->as_object()) recording.options[key] = text_from(value);
        }
        return recording;
    } catch (const Error& error) {
        throw Error("facts of a recording", error);
    } catch (const std::exception& error) {
        throw Error(std::string("facts of a recording: ") + error.what(), TD_MALFORMED);
    }
}

std::shared_ptr<const td_recording> share(Recording recording) {
    struct Held {
        Recording facts;
        td_recording view;
    };
    auto held = std::make_shared<Held>(Held{std::move(recording), {}});
    held->view = held->facts.abi();
    return {held, &held->view};
}

}  // namespace tapedeck::host
