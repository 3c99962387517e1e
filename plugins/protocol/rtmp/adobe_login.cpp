#include "adobe_login.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "request.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr std::string_view scheme = "authmod=adobe";

std::string md5_in_base64(const std::string& text) {
    std::array<unsigned char, 16> digest{};
    if (::EVP_Digest(text.data(), text.size(), digest.data(), nullptr, ::EVP_md5(), nullptr) != 1)
        throw Error("it asks for a login by MD5, which this system's OpenSSL does not allow");
    std::array<unsigned char, 25> written{};
    const auto size = ::EVP_EncodeBlock(written.data(), digest.data(), static_cast<int>(digest.size()));
    return {written.begin(), written.begin() + size};
}

/// For a query: a name may have any characters.
std::string escaped(std::string_view text) {
    constexpr std::string_view safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@";
    std::string written;
    for (const auto c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (safe.find(c) != std::string_view::npos)
            written += c;
        else
            ((written += '%') += "0123456789ABCDEF"[byte >> 4]) += "0123456789ABCDEF"[byte & 15];
    }
    return written;
}

/// The value behind `name=` in a list such as `?reason=needauth&user=x&salt=y==`; as it stands there.
std::string_view value_of(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of("&? "), list.size());
        const auto one = list.substr(0, end);
        if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) return one.substr(name.size() + 1);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return {};
}

}  // namespace

bool asks_for_adobe_login(std::string_view description) {
    return description.find(scheme) != std::string_view::npos;
}

std::string AdobeLogin::answer(std::string_view description, std::string_view sent) const {
    const auto reason = value_of(description, "reason");
    if (user.empty()) throw Error("it wants a login, and the address has none: rtmp://user:password@host/...");
    if (reason == "authfailed" || reason == "nosuchuser" || !value_of(sent, "response").empty())
        throw Error("wrong login or password");
    auto begin = "?" + std::string(scheme) + "&user=" + escaped(user);
    if (reason.empty() && sent.empty()) return begin;
    if (reason != "needauth")
        throw Error("it refuses the login without a word that is known: " + printable(description));
    const auto opaque = std::string(value_of(description, "opaque"));
    const auto challenge = std::string(value_of(description, "challenge"));
    const auto secret = md5_in_base64(user + std::string(value_of(description, "salt")) + password);
    const auto response = md5_in_base64(secret + (opaque.empty() ? challenge : opaque) + nonce);
    return begin + "&challenge=" + nonce + "&response=" + response + (opaque.empty() ? "" : "&opaque=" + opaque);
}

}  // namespace tapedeck::rtmp
