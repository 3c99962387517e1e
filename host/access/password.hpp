// Hashes of passwords and tokens as conf/access.yaml keeps them.
#pragma once

#include <string>
#include <string_view>

namespace tapedeck::host {

/// `pbkdf2-sha256$<iterations>$<salt>$<hash>`, salt and hash in hexadecimal, with a fresh random salt. For
/// `tapedeck --hash-password`. Costs some 50 ms. Throws Error when the system has no randomness.
std::string hash_password(std::string_view password);

/// `sha256$<hash>` of a token. Tokens are long and random, so they need no salt; `new_token` makes one.
std::string hash_token(std::string_view token);
/// 32 random bytes as 43 characters of URL-safe base64.
std::string new_token();

/// Whether `text` has the form of `hash_password` or `hash_token`.
bool is_hash(std::string_view text);

/// Whether `secret` gives `hash`, compared in constant time. False for a malformed hash.
bool matches_hash(std::string_view secret, std::string_view hash);

/// Compares in a time that does not tell where two texts differ.
bool equal_secrets(std::string_view left, std::string_view right);

}  // namespace tapedeck::host
