#include "sources/members.hpp"

#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <limits>

#include "tapedeck/context.hpp"

namespace tapedeck::sources {

namespace json = boost::json;

namespace {

std::string shown(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", number);
    return text.data();
}

}  // namespace

Members::Members(std::string_view body) {
    if (body.empty()) return;
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(body.data(), body.size()), error);
    if (error || !value.is_object()) throw Error(TD_MALFORMED, "the body is no JSON object");
    object_ = std::move(value.as_object());
}

void Members::refuse(const char* name, const std::string& what) const {
    const json::value* found = object_.if_contains(name);
    throw Error(TD_MALFORMED, where_ + name + (found == nullptr ? " " : ": " + json::serialize(*found) + " ") + what);
}

std::string Members::text(const char* name, const char* otherwise) const {
    const json::value* found = object_.if_contains(name);
    if (found == nullptr && otherwise == nullptr) refuse(name, "is missing");
    if (found == nullptr) return otherwise;
    if (!found->is_string()) refuse(name, "is no text");
    return std::string(found->as_string());
}

bool Members::flag(const char* name, bool otherwise) const {
    const json::value* found = object_.if_contains(name);
    if (found == nullptr) return otherwise;
    if (found->is_bool()) return found->as_bool();
    if (found->is_string() && found->as_string() == "true") return true;
    if (!found->is_string() || found->as_string() != "false") refuse(name, "is neither true nor false");
    return false;
}

double Members::number(const char* name, double least, double most, double otherwise) const {
    const json::value* found = object_.if_contains(name);
    if (found == nullptr) return otherwise;
    const double value = found->is_number() ? found->to_number<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(value >= least && value <= most)) refuse(name, "is no number from " + shown(least) + " to " + shown(most));
    return value;
}

std::vector<std::string> Members::texts(const char* name) const {
    const json::value* found = object_.if_contains(name);
    std::vector<std::string> list;
    if (found == nullptr) return list;
    if (!found->is_array()) refuse(name, "is no list of texts");
    for (const json::value& each : found->as_array()) {
        if (!each.is_string()) refuse(name, "is no list of texts");
        list.emplace_back(each.as_string());
    }
    return list;
}

std::optional<Members> Members::object(const char* name) const {
    const json::value* found = object_.if_contains(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_object()) refuse(name, "is no object");
    return Members(found->as_object(), where_ + name + ".");
}

Filter Filter::read(const Members& members) {
    Filter filter{members.text("uri", ""), members.text("localStreamName", ""),
                  members.text("localMediaSessionId", "")};
    if (filter.uri.empty() && filter.stream.empty() && filter.media_session.empty())
        throw Error(TD_MALFORMED, "none of uri, localStreamName and localMediaSessionId is given");
    return filter;
}

}  // namespace tapedeck::sources
