// What a client answers to a challenge: Basic (RFC 7617) and Digest (RFC 7616, RFC 2069).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::rtsp {

std::string base64(std::string_view bytes);

/// One WWW-Authenticate header.
struct Challenge {
    enum class Kind : std::uint8_t { basic, md5, md5_sess, sha256, sha256_sess };
    Kind kind = Kind::basic;
    std::string realm, nonce, opaque;
    bool has_qop = false;   // `auth` is offered
    bool is_stale = false;  // the password was right, the nonce is old

    /// Nothing where the scheme, the algorithm or the qop is not known.
    static std::optional<Challenge> parse(std::string_view header);
};

/// The strongest of these headers that is known: SHA-256, MD5, Basic.
std::optional<Challenge> strongest(const std::vector<std::string_view>& headers);

/// Makes Authorization headers for one login. One connection.
class Authenticator {
public:
    Authenticator(std::string user, std::string password) : user_(std::move(user)), password_(std::move(password)) {}

    /// False where an answer to this challenge was given before and refused, or where there is no login.
    bool challenged(const Challenge& challenge);
    /// The login is right. From now on a challenge with another nonce only means that the old one has expired, which
    /// many cameras do not call stale.
    void accepted() { was_accepted_ = count_ > 0; }
    /// Empty before the first challenge.
    std::string header(std::string_view method, std::string_view uri);

private:
    std::string user_, password_;
    std::optional<Challenge> challenge_;
    std::uint32_t count_ = 0;
    bool was_accepted_ = false;
};

/// Login and password of an Authorization header of Basic; nothing for any other.
std::optional<std::pair<std::string, std::string>> basic_login(std::string_view header);

}  // namespace tapedeck::rtsp
