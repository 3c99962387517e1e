#include "api/bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <utility>

#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

namespace json = boost::json;

constexpr std::size_t most_text = 4096;      // of one member; longer ones are no ids and no templates
constexpr std::size_t most_sessions = 1000;  // in one request
constexpr std::size_t most_settings = 64;

[[noreturn]] void malformed(const std::string& text) {
    throw Error(text, TD_MALFORMED);
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string scalar(const json::value& value, std::string_view name) {
    std::string text;
    if (value.is_string()) {
        text = value.get_string();
    } else if (value.is_object() || value.is_array() || value.is_null()) {
        malformed(fmt::format("'{}' is a text or a number", printable(name)));
    } else if (value.is_double()) {
        text = fmt::format("{}", value.get_double());  // serialize would write 20.5 as 2.05E1
    } else {
        text = json::serialize(value);
    }
    if (text.size() > most_text) malformed(fmt::format("'{}' has more than {} bytes", printable(name), most_text));
    if (text.find('\0') != std::string::npos) malformed(fmt::format("'{}' contains a NUL", printable(name)));
    return text;
}

std::string media_session_of(const json::object& object) {
    auto session = text_member(object, "mediaSessionId");
    if (!session || session->empty()) {
        malformed("'mediaSessionId' is missing; find it with /rest-api/stream/find");
    }
    return *std::move(session);
}

/// The members of one array of texts.
std::vector<std::string> texts_member(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return texts;
    const auto* array = value->if_array();
    if (array == nullptr) return {scalar(*value, name)};
    if (array->size() > most_sessions) malformed(fmt::format("'{}' has more than {} members", name, most_sessions));
    for (const auto& entry : *array) texts.push_back(scalar(entry, name));
    return texts;
}

bool equal_letters(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right,
                              [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

}  // namespace

json::object parse_object(std::string_view body, bool may_be_empty) {
    if (is_blank(body)) {
        if (may_be_empty) return {};
        malformed("the body is empty; send a JSON object");
    }
    boost::system::error_code failure;
    auto value = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure) malformed(fmt::format("the body is not JSON: {}", failure.message()));
    auto* object = value.if_object();
    if (object == nullptr) malformed("the body is not a JSON object; send { ... }");
    return std::move(*object);
}

std::optional<std::string> text_member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return {};
    return scalar(*value, name);
}

std::optional<bool> boolean_member(const json::object& object, std::string_view name) {
    const auto text = text_member(object, name);
    if (!text) return {};
    if (equal_letters(*text, "true")) return true;
    if (equal_letters(*text, "false")) return false;
    malformed(fmt::format("'{}' is '{}'; it is true or false", printable(name), printable(*text)));
}

StartRequest parse_start(std::string_view body) {
    const auto object = parse_object(body);
    StartRequest request{media_session_of(object), {}};
    const auto* config = object.if_contains("config");
    if (config == nullptr || config->is_null()) return request;
    const auto* members = config->if_object();
    if (members == nullptr) malformed("'config' is not a JSON object");
    if (members->size() > most_settings) malformed(fmt::format("'config' has more than {} members", most_settings));
    for (const auto& [name, value] : *members) {
        const bool known = name == "fileTemplate" || name == "rotation";
        if (value.is_null() || (!known && (value.is_object() || value.is_array()))) continue;
        request.settings.emplace(std::string(name), scalar(value, name));
    }
    return request;
}

std::string parse_media_session(std::string_view body) {
    return media_session_of(parse_object(body));
}

StreamFilter parse_filter(std::string_view body) {
    const auto object = parse_object(body, true);
    StreamFilter filter;
    filter.media_sessions = texts_member(object, "mediaSessionIds");
    if (auto one = text_member(object, "mediaSessionId")) filter.media_sessions.push_back(*std::move(one));
    filter.name = text_member(object, "name");
    filter.session = text_member(object, "sessionId");
    filter.application = text_member(object, "appKey");
    filter.status = text_member(object, "status");
    filter.media_type = text_member(object, "mediaType");
    filter.provider = text_member(object, "mediaProvider");
    filter.published = boolean_member(object, "published");
    filter.record = boolean_member(object, "record");
    filter.with_metrics = std::ranges::count(texts_member(object, "display"), "metrics") > 0;
    return filter;
}

StreamFilter parse_termination(std::string_view body) {
    auto filter = parse_filter(body);
    if (filter.is_open()) {
        malformed("which stream is to end? Send mediaSessionId, mediaSessionIds, name, sessionId, status or published");
    }
    return filter;
}

bool StreamFilter::is_open() const {
    return media_sessions.empty() && !name && !session && !application && !status && !media_type && !provider &&
           !published && !record;
}

bool StreamFilter::fits(const StreamObject& stream) const {
    const auto same = [](const std::optional<std::string>& wanted, std::string_view has) {
        return !wanted || *wanted == has;
    };
    if (!media_sessions.empty() && std::ranges::count(media_sessions, stream.media_session) == 0) return false;
    if (status && !equal_letters(*status, stream.status)) return false;
    if (media_type && !equal_letters(*media_type, stream.published ? "publish" : "play")) return false;
    if (published && *published != stream.published) return false;
    if (record && *record != stream.record) return false;
    return same(name, stream.name) && same(session, stream.session) && same(application, stream.application) &&
           same(provider, stream.provider);
}

}  // namespace tapedeck::host::api
