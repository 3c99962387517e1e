#include "authentication.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "message.hpp"
#include "rtp/sdp.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

namespace {

std::string hex_of(ByteSpan bytes) {
    std::string text;
    for (const auto byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string digest(bool is_sha256, const std::string& text) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    const auto* kind = is_sha256 ? EVP_sha256() : EVP_md5();
    if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, kind, nullptr) != 1)
        throw Error("OpenSSL has no digest of this kind");
    return hex_of({bytes.data(), size});
}

}  // namespace

std::string base64(std::string_view text) {
    std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
    const auto size = EVP_EncodeBlock(static_cast<unsigned char*>(static_cast<void*>(out.data())),
                                      static_cast<const unsigned char*>(static_cast<const void*>(text.data())),
                                      static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

namespace {

/// The next `name=value` or `name="value"` of a list; false at its end.
bool next_parameter(std::string_view& rest, std::string_view& name, std::string& value) {
    rest = rest.substr(std::min(rest.find_first_not_of(" \t,"), rest.size()));
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return false;
    name = trimmed(rest.substr(0, equals));
    rest = trimmed(rest.substr(equals + 1));
    value.clear();
    if (!rest.starts_with('"')) {
        const auto end = std::min(rest.find(','), rest.size());
        value = trimmed(rest.substr(0, end));
        rest.remove_prefix(end);
        return true;
    }
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
        value += rest[at];
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return true;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::optional<Challenge::Kind> kind_of(std::string_view algorithm) {
    using Kind = Challenge::Kind;
    constexpr std::array<std::pair<std::string_view, Kind>, 4> known{{{"MD5", Kind::md5},
                                                                      {"MD5-sess", Kind::md5_sess},
                                                                      {"SHA-256", Kind::sha256},
                                                                      {"SHA-256-sess", Kind::sha256_sess}}};
    for (const auto& [name, kind] : known)
        if (same_name(name, algorithm)) return kind;
    return std::nullopt;
}

}  // namespace

std::optional<Challenge> Challenge::parse(std::string_view header) {
    header = trimmed(header);
    const auto scheme = header.substr(0, header.find(' '));
    auto rest = header.substr(scheme.size());
    const bool is_digest = same_name(scheme, "Digest");
    if (!is_digest && !same_name(scheme, "Basic")) return std::nullopt;
    Challenge challenge;
    std::string algorithm = "MD5", qop, value;
    for (std::string_view name; next_parameter(rest, name, value);) {
        if (same_name(name, "realm")) challenge.realm = value;
        if (same_name(name, "nonce")) challenge.nonce = value;
        if (same_name(name, "opaque")) challenge.opaque = value;
        if (same_name(name, "algorithm")) algorithm = value;
        if (same_name(name, "stale")) challenge.is_stale = same_name(value, "true");
        if (same_name(name, "qop")) qop = "," + value + ",";
    }
    if (!is_digest) return challenge;
    const auto kind = kind_of(algorithm);
    std::erase(qop, ' ');
    challenge.has_qop = qop.find(",auth,") != std::string::npos;
    if (!kind || challenge.nonce.empty() || (!qop.empty() && qop != ",," && !challenge.has_qop)) return std::nullopt;
    challenge.kind = *kind;
    return challenge;
}

std::optional<Challenge> strongest(const std::vector<std::string_view>& headers) {
    std::optional<Challenge> best;
    for (const auto& header : headers) {
        auto one = Challenge::parse(header);
        if (one && (!best || one->kind > best->kind)) best = std::move(one);
    }
    return best;
}

bool Authenticator::challenged(const Challenge& challenge) {
    if (user_.empty() && password_.empty()) return false;
    const bool was_answered = challenge_ && count_ > 0;
    const bool has_expired = was_accepted_ && challenge_ && challenge_->nonce != challenge.nonce;
    if (was_answered && !challenge.is_stale && !has_expired) return false;
    challenge_ = challenge;
    count_ = 0;
    was_accepted_ = false;
    return true;
}

std::string Authenticator::header(std::string_view method, std::string_view uri) {
    if (!challenge_) return {};
    ++count_;
    using Kind = Challenge::Kind;
    const auto& asked = *challenge_;
    if (asked.kind == Kind::basic) return "Basic " + base64(user_ + ":" + password_);
    const bool is_sha256 = asked.kind == Kind::sha256 || asked.kind == Kind::sha256_sess;
    const bool is_session = asked.kind == Kind::md5_sess || asked.kind == Kind::sha256_sess;
    std::array<std::uint8_t, 8> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) throw Error("OpenSSL has no random numbers");
    const auto client_nonce = hex_of(random);
    const std::array<std::uint8_t, 4> counted{
        static_cast<std::uint8_t>(count_ >> 24), static_cast<std::uint8_t>(count_ >> 16 & 0xff),
        static_cast<std::uint8_t>(count_ >> 8 & 0xff), static_cast<std::uint8_t>(count_ & 0xff)};
    const auto count = hex_of(counted);
    auto secret = digest(is_sha256, user_ + ":" + asked.realm + ":" + password_);
    if (is_session) secret = digest(is_sha256, secret + ":" + asked.nonce + ":" + client_nonce);
    const auto request = digest(is_sha256, std::string(method) + ":" + std::string(uri));
    const auto middle = asked.has_qop ? asked.nonce + ":" + count + ":" + client_nonce + ":auth" : asked.nonce;
    auto header = "Digest username=" + quoted(user_) + ", realm=" + quoted(asked.realm) +
                  ", nonce=" + quoted(asked.nonce) + ", uri=" + quoted(uri) + ", response=\"" +
                  digest(is_sha256, secret + ":" + middle + ":" + request) + "\"";
    if (asked.kind != Kind::md5)
        header += std::string(", algorithm=") + (is_sha256 ? "SHA-256" : "MD5") + (is_session ? "-sess" : "");
    if (asked.has_qop) header += ", qop=auth, nc=" + count;
    if (asked.has_qop || is_session) header += ", cnonce=\"" + client_nonce + "\"";
    if (!asked.opaque.empty()) header += ", opaque=" + quoted(asked.opaque);
    return header;
}

std::optional<std::pair<std::string, std::string>> basic_login(std::string_view header) {
    header = trimmed(header);
    if (header.size() > 4096 || !same_name(header.substr(0, 6), "Basic ")) return std::nullopt;
    const auto bytes = sdp::from_base64(trimmed(header.substr(6)));
    if (!bytes) return std::nullopt;
    const std::string text(bytes->begin(), bytes->end());
    const auto colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace tapedeck::rtsp
