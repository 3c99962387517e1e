// What shows a receiver that an event comes from a server that knows the secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck::webhook {

/// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal digits.
std::string hmac_sha256(std::string_view secret, std::string_view message);

/// `t=<seconds>,v1=<hex>`: the HMAC of `<seconds>.<body>`. The time is signed too, so that a receiver can refuse what
/// somebody recorded and sends again later. `seconds` is UNIX time.
std::string signature_of(std::string_view secret, std::int64_t seconds, std::string_view body);

}  // namespace tapedeck::webhook
