#include "api/part_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "api/url.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

constexpr std::size_t most_digits = 9;  // before the dot: 30 years
constexpr std::size_t fraction_digits = 6;

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t value_of(std::string_view digits) {
    std::int64_t value = 0;
    for (const char digit : digits) value = value * 10 + (digit - '0');
    return value;
}

/// Nothing where the query lacks the member.
std::optional<std::int64_t> time_of(std::string_view query, std::string_view member) {
    if (!query_has(query, member)) return {};
    const std::string text = query_member(query, member).value_or("");
    const auto dot = std::min(text.find('.'), text.size());
    const auto whole = std::string_view(text).substr(0, dot);
    std::string fraction = dot < text.size() ? text.substr(dot + 1) : "0";
    if (!is_number(whole) || whole.size() > most_digits || !is_number(fraction)) {
        throw Error(
            fmt::format("'{}' is '{}'; send a number of seconds such as 11 or 11.5", member, printable(text, 40)),
            TD_MALFORMED);
    }
    fraction.resize(fraction_digits, '0');
    return value_of(whole) * 1'000'000 + value_of(fraction);
}

}  // namespace

std::optional<RecordCuts::Times> parse_part_times(std::string_view query) {
    const RecordCuts::Times times{time_of(query, "start"), time_of(query, "end")};
    if (!times.from_us && !times.to_us) return {};
    if (times.to_us && *times.to_us <= times.from_us.value_or(0)) {
        throw Error("'end' must be larger than 'start', which is 0 when it is not given", TD_MALFORMED);
    }
    return times;
}

}  // namespace tapedeck::host::api
