// What `encode_record_name` does to a name: HEX or BASE64 (RFC 4648 sections 5 and 8). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tapedeck::naming {

enum class Encoding { none, hex, base64 };

/// Reads `false`, `true,HEX` or `true,BASE64` (blanks and case do not matter). Throws Error for anything else, a `true`
/// without a method included.
Encoding parse_encoding(std::string_view setting);

/// HEX in lower case; BASE64 with the URL-safe alphabet and without padding, so that neither makes a `/` or a `=`.
std::string encode(Encoding encoding, std::string_view bytes);

/// How many bytes may be encoded so that the result is at most `room` characters long.
std::size_t encodable(Encoding encoding, std::size_t room);

}  // namespace tapedeck::naming
