// What stands in the addresses that clients name: queries, credentials, escapes; and such text in a log.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tapedeck {

/// `%40` -> `@`. A broken escape stays as it is.
std::string percent_decode(std::string_view text);

/// Names and values of a query string, percent-decoded, in their order.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// `a=b&c` -> {a, b}, {c, ""}. A broken escape stays as it is.
Parameters parse_query(std::string_view query);

/// A client's name or address with what followed its `?`.
struct Named {
    std::string name;
    Parameters parameters;
};
/// Splits at the first `?`.
Named split_query(std::string_view text);

/// Who the client says it is.
struct Credentials {
    std::string login;
    Parameters attributes;  // `password`, `token` and whatever else the queries had
};
/// Reads `user`, `username` or `login`, and `pass`, `pwd` or `password`; other parameters keep their names. Later
/// parameters win over earlier ones of the same name: give those of the stream after those of the application.
Credentials credentials(const Parameters& parameters);

/// Untrusted text for a log line: cut to 200 bytes, control characters and broken UTF-8 as `\xNN`.
std::string printable(std::string_view text);

}  // namespace tapedeck
