#include "api/range.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

constexpr const char* date_form = "%a, %d %b %Y %H:%M:%S GMT";

/// Nothing for what is no number; a number beyond 64 bits counts as the largest.
std::optional<std::uint64_t> number(std::string_view text) {
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return {};
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc::result_out_of_range ? UINT64_MAX : value;
}

/// Compares weakly: `W/"x"` and `"x"` are the same.
bool same_tag(std::string_view left, std::string_view right) {
    if (left.starts_with("W/")) left.remove_prefix(2);
    if (right.starts_with("W/")) right.remove_prefix(2);
    return left == right;
}

/// Whether a list of tags is `*` or has one that `is_meant`.
template <class IsMeant>
bool lists(std::string_view tags, IsMeant is_meant) {
    if (trimmed(tags) == "*") return true;
    while (!tags.empty()) {
        const auto tag = tags.substr(0, tags.find(','));
        if (is_meant(trimmed(tag))) return true;
        tags.remove_prefix(std::min(tag.size() + 1, tags.size()));
    }
    return false;
}

}  // namespace

RangeRequest parse_range(std::string_view header, std::uint64_t size) {
    using Kind = RangeRequest::Kind;
    constexpr std::string_view unit = "bytes=";
    header = trimmed(header);
    if (!header.starts_with(unit)) return {};
    header = trimmed(header.substr(unit.size()));
    const auto dash = header.find('-');
    if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return {};
    const auto from = trimmed(header.substr(0, dash)), to = trimmed(header.substr(dash + 1));
    if (from.empty()) {
        const auto count = number(to);
        if (!count) return {};
        if (*count == 0 || size == 0) return {Kind::Unsatisfiable, {}};
        return {Kind::Part, {size - std::min(*count, size), size - 1}};
    }
    const auto first = number(from);
    const auto last = to.empty() ? UINT64_MAX : number(to);
    if (!first || !last || *last < *first) return {};
    if (*first >= size) return {Kind::Unsatisfiable, {}};
    return {Kind::Part, {*first, std::min(*last, size - 1)}};
}

FileParts slice(const FileParts& files, ByteRange part) {
    FileParts found;
    std::uint64_t begin = 0;
    for (const FilePart& one : files) {
        const std::uint64_t end = begin + one.count;
        const std::uint64_t first = std::max(part.first, begin), behind = std::min(part.last + 1, end);
        if (first < behind) found.push_back({one.file, one.first + (first - begin), behind - first});
        begin = end;
    }
    return found;
}

std::string http_date(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    // The C locale is in force throughout the server, so names of days and months are English.
    return {text, std::strftime(text, sizeof text, date_form, &parts)};
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
    const std::string plain(trimmed(text));
    std::tm parts{};
    const char* end = ::strptime(plain.c_str(), date_form, &parts);
    if (end == nullptr || *end != '\0') return {};
    return timegm(&parts);
}

bool is_unwanted(std::string_view if_match, std::string_view if_unmodified_since, const Version& version) {
    if (!if_match.empty()) return !lists(if_match, [&](auto tag) { return tag == version.etag; });
    const auto since = parse_http_date(if_unmodified_since);
    return since && version.modified > *since;
}

bool is_unchanged(std::string_view if_none_match, std::string_view if_modified_since, const Version& version) {
    if (!if_none_match.empty()) return lists(if_none_match, [&](auto tag) { return same_tag(tag, version.etag); });
    const auto since = parse_http_date(if_modified_since);
    return since && version.modified <= *since;
}

bool allows_part(std::string_view if_range, const Version& version) {
    if_range = trimmed(if_range);
    if (if_range.empty()) return true;
    if (if_range.starts_with('"') || if_range.starts_with("W/")) return if_range == version.etag;
    return parse_http_date(if_range) == version.modified;
}

}  // namespace tapedeck::host::api
