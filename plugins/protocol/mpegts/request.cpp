#include "mpegts/request.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace tapedeck::mpegts {
namespace {

namespace json = boost::json;

constexpr std::array names{"udp", "rtp", "srt"};
constexpr std::array upper_names{"UDP", "RTP", "SRT"};

[[noreturn]] void refuse(const std::string& text) {
    throw Error(TD_MALFORMED, text);
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// Members of a body, each of which may be missing.
class Members {
public:
    explicit Members(std::string_view body) {
        boost::system::error_code error;
        json::value value = json::parse(json::string_view(body.data(), body.size()), error);
        if (error || !value.is_object()) refuse("the body is no JSON object");
        members_ = std::move(value.as_object());
    }
    const json::value* find(const char* name) const {
        const auto* const found = members_.if_contains(name);
        return found == nullptr || found->is_null() ? nullptr : found;
    }
    std::string text(const char* name) const {
        const auto* const found = find(name);
        if (found == nullptr) return {};
        if (!found->is_string()) refuse(std::string(name) + ": " + json::serialize(*found) + " is no text");
        return std::string(found->as_string());
    }
    std::optional<bool> flag(const char* name) const {
        const auto* const found = find(name);
        if (found == nullptr) return std::nullopt;
        if (found->is_bool()) return found->as_bool();
        if (found->is_string() && found->as_string() == "true") return true;
        if (found->is_string() && found->as_string() == "false") return false;
        refuse(std::string(name) + ": " + json::serialize(*found) + " is neither true nor false");
    }
    std::optional<double> number(const char* name, double least, double most) const {
        const auto* const found = find(name);
        if (found == nullptr) return std::nullopt;
        double value = std::nan("");
        if (found->is_number()) value = found->to_number<double>();
        if (found->is_string()) {
            const auto& text = found->as_string();
            const auto [at, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (fault != std::errc() || at != text.data() + text.size()) value = std::nan("");
        }
        if (value >= least && value <= most) return value;
        refuse(std::string(name) + ": " + json::serialize(*found) + " is no number from " + shown_number(least) +
               " to " + shown_number(most));
    }

private:
    static std::string shown_number(double number) { return json::serialize(json::value(number)); }
    json::object members_;
};

Request from_settings(const Settings& settings) {
    Request request;
    request.timeout = settings.timeout;
    request.max_timestamp_diff = settings.max_timestamp_diff;
    return request;
}

std::chrono::microseconds microseconds(double seconds) {
    return std::chrono::microseconds(std::llround(seconds * 1e6));
}

}  // namespace

const char* name_of(Transport transport) {
    return names.at(static_cast<std::size_t>(transport));
}

Request parse_startup(std::string_view body, const Settings& settings) {
    constexpr double day = 86'400;
    const Members members(body);
    Request request = from_settings(settings);
    request.stream = members.text("localStreamName");
    if (request.stream.empty()) refuse("localStreamName is missing");
    if (const auto name = members.text("transport"); !name.empty()) {
        const auto found = std::ranges::find(names, lower(name), [](const char* one) { return std::string(one); });
        if (found == names.end()) refuse("transport: '" + printable(name) + "' is none of udp, rtp and srt");
        request.transport = static_cast<Transport>(found - names.begin());
    }
    if (const auto record = members.flag("record")) request.record = *record ? TD_RECORD_YES : TD_RECORD_NO;
    if (const auto ms = members.number("timeout", 100, day * 1000)) request.timeout = microseconds(*ms / 1000);
    if (const auto seconds = members.number("maxTimestampDiff", 0.01, 3600))
        request.max_timestamp_diff = microseconds(*seconds);
    if (const auto number = members.number("program", 1, 65535)) request.program = static_cast<std::uint16_t>(*number);
    if (const auto* const list = members.find("allowedList")) {
        if (!list->is_array()) refuse("allowedList: " + json::serialize(*list) + " is no list");
        for (const auto& entry : list->as_array()) {
            if (!entry.is_string()) refuse("allowedList: " + json::serialize(entry) + " is no text");
            try {
                request.allowed.add(std::string(entry.as_string()));
            } catch (const Error& e) {
                refuse(std::string("allowedList: ") + e.what());
            }
        }
    }
    request.passphrase = members.text("passphrase");
    check_passphrase(request.passphrase, "passphrase");
    if (!request.passphrase.empty() && request.transport != Transport::srt)
        refuse(std::string("passphrase: ") + name_of(request.transport) + " has no encryption; `srt` has");
    return request;
}

Request parse_stream_id(const std::string& stream_id, const Settings& settings) {
    constexpr std::string_view controlled = "#!::";
    Request request = from_settings(settings);
    request.transport = Transport::srt;
    request.record = settings.record ? TD_RECORD_YES : TD_RECORD_BY_RULES;
    if (!stream_id.starts_with(controlled)) {
        request.stream = stream_id;
    } else {
        std::string_view rest = std::string_view(stream_id).substr(controlled.size());
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            const auto part = rest.substr(0, comma);
            const auto equals = std::min(part.find('='), part.size());
            const auto key = part.substr(0, equals);
            const std::string value(part.substr(std::min(equals + 1, part.size())));
            if (key == "r") request.stream = value;
            if (key == "u") request.login = value;
            if (key == "password" || key == "token") request.credentials.emplace_back(key, value);
            if (key == "m" && value != "publish")
                refuse("m=" + printable(value) + ": this port takes streams (m=publish) and plays none");
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    if (request.stream.empty()) refuse("the stream id names no stream; it is a name, or #!::r=name");
    return request;
}

Filter parse_filter(std::string_view body) {
    if (body.empty()) return {};
    const Members members(body);
    return {members.text("localStreamName"), members.text("localMediaSessionId"), members.text("uri"),
            members.text("status")};
}

std::string describe(const Request& request, const Shown& shown) {
    json::array allowed;
    for (const auto& name : request.allowed.names()) allowed.emplace_back(name);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count();
    const auto diff_us = request.max_timestamp_diff.count();
    json::object object{{"localMediaSessionId", shown.media_session},
                        {"localStreamName", request.stream},
                        {"uri", shown.uri},
                        {"status", shown.status},
                        {"hasAudio", shown.has_audio},
                        {"hasVideo", shown.has_video},
                        {"record", request.record == TD_RECORD_YES},
                        {"transport", upper_names.at(static_cast<std::size_t>(request.transport))},
                        {"cdn", false},
                        {"timeout", ms},
                        {"maxTimestampDiff", nullptr},
                        {"allowedList", std::move(allowed)},
                        {"lost", shown.lost},
                        {"droppedPictures", shown.dropped_pictures},
                        {"clockJumps", shown.jumps}};
    if (diff_us % 1'000'000 == 0)
        object["maxTimestampDiff"] = diff_us / 1'000'000;
    else
        object["maxTimestampDiff"] = static_cast<double>(diff_us) / 1e6;
    if (!shown.sender.empty()) object["sender"] = shown.sender;
    if (!shown.info.empty()) object["info"] = shown.info;
    return json::serialize(object);
}

std::string host_of(std::string_view authority) {
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket))
        authority = authority.substr(0, colon);
    return std::string(authority);
}

}  // namespace tapedeck::mpegts
