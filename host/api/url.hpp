// Percent-encoded paths and queries (RFC 3986). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tapedeck::host::api {

/// Nothing for a `%` without two hexadecimal digits.
std::optional<std::string> decode_percent(std::string_view text);

/// The value of a query's member, decoded, `+` as a space; nothing when there is none. The first of several counts.
std::optional<std::string> query_member(std::string_view query, std::string_view name);

/// Whether there is such a member at all, with a value or without.
bool query_has(std::string_view query, std::string_view name);

/// The file that the encoded rest of a path names, with folders: `cam1/3.mp4`. Nothing when it could lead elsewhere:
/// decoded once, it must have no empty, `.` or `..` component, no backslash and no control character. A slash may be
/// encoded, as clients do with whole names.
std::optional<std::string> file_name(std::string_view encoded);

}  // namespace tapedeck::host::api
