#include "api/url.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace tapedeck::host::api {

std::optional<std::string> decode_percent(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            decoded += text.front();
            text.remove_prefix(1);
            continue;
        }
        std::uint8_t byte = 0;
        if (text.size() < 3) return {};
        const auto [end, failure] = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
        if (failure != std::errc() || end != text.data() + 3) return {};
        decoded += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return decoded;
}

namespace {

/// The encoded value of the first member of this name; nothing when there is none.
std::optional<std::string_view> find_member(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const auto equals = pair.find('=');
        if (decode_percent(pair.substr(0, equals)) != name) continue;
        return equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    }
    return {};
}

}  // namespace

std::optional<std::string> query_member(std::string_view query, std::string_view name) {
    const auto encoded = find_member(query, name);
    if (!encoded) return {};
    std::string value(*encoded);
    std::ranges::replace(value, '+', ' ');
    return decode_percent(value);
}

bool query_has(std::string_view query, std::string_view name) {
    return find_member(query, name).has_value();
}

std::optional<std::string> file_name(std::string_view encoded) {
    auto name = decode_percent(encoded);
    if (!name || name->empty() || name->size() > 4096) return {};
    const auto forbidden = [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\'; };
    if (std::ranges::any_of(*name, forbidden)) return {};
    for (std::string_view rest = *name;;) {
        const auto component = rest.substr(0, rest.find('/'));
        if (component.empty() || component == "." || component == "..") return {};
        if (component.size() == rest.size()) return name;
        rest.remove_prefix(component.size() + 1);
    }
}

}  // namespace tapedeck::host::api
