#include "mpegts/request.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "address/query.hpp"
#include "tapedeck/utf8.hpp"

namespace tapedeck::mpegts {
namespace {

namespace json = boost::json;

constexpr std::array names{"udp", "rtp", "srt"};
constexpr std::array upper_names{"UDP", "RTP", "SRT"};

[[noreturn]] void refuse(const std::string& text) {
    throw Error(TD_MALFORMED, text);
}

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
    const sources::Members members(body);
    Request request = from_settings(settings);
    request.stream = members.text("localStreamName");
    if (request.stream.empty()) refuse("localStreamName is empty");
    if (const auto name = members.text("transport", ""); !name.empty()) {
        const auto found =
            std::ranges::find_if(names, [&](const char* one) { return ::strcasecmp(one, name.c_str()) == 0; });
        if (found == names.end()) refuse("transport: '" + printable(name) + "' is none of udp, rtp and srt");
        request.transport = static_cast<Transport>(found - names.begin());
    }
    if (members.has("record")) request.record = members.flag("record", false) ? TD_RECORD_YES : TD_RECORD_NO;
    if (members.has("timeout")) request.timeout = microseconds(members.number("timeout", 100, day * 1000, 0) / 1000);
    if (members.has("maxTimestampDiff"))
        request.max_timestamp_diff = microseconds(members.number("maxTimestampDiff", 0.01, 3600, 0));
    if (members.has("program")) request.program = static_cast<std::uint16_t>(members.number("program", 1, 65535, 0));
    for (const auto& network : members.texts("allowedList")) {
        try {
            request.allowed.add(network);
        } catch (const Error& e) {
            refuse(std::string("allowedList: ") + e.what());
        }
    }
    request.passphrase = members.text("passphrase", "");
    check_passphrase(request.passphrase, "passphrase");
    if (!request.passphrase.empty() && request.transport != Transport::srt)
        refuse(std::string("passphrase: ") + name_of(request.transport) + " has no encryption; `srt` has");
    return request;
}

Request parse_stream_id(const std::string& stream_id, const Settings& settings) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (!is_utf8(stream_id) || std::any_of(stream_id.begin(), stream_id.end(), is_control))
        refuse("the stream id '" + printable(stream_id) + "' is no text; it must be UTF-8 without control characters");
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
    const sources::Members members(body);
    return {{members.text("uri", ""), members.text("localStreamName", ""), members.text("localMediaSessionId", "")},
            members.text("status", "")};
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
