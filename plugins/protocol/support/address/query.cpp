#include "address/query.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace tapedeck {

namespace {

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
    return std::nullopt;
}

/// The length of the UTF-8 character at the front, 0 when it is broken (RFC 3629).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) || (first == 0xf0 && byte(1) < 0x90) ||
        (first == 0xf4 && byte(1) > 0x8f))
        return 0;
    return length;
}

}  // namespace

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high && low) {
                out += static_cast<char>(*high * 16 + *low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

Parameters parse_query(std::string_view query) {
    Parameters out;
    while (!query.empty()) {
        const auto part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        if (part.empty()) continue;
        const auto equals = part.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
        out.emplace_back(percent_decode(part.substr(0, equals)), percent_decode(value));
    }
    return out;
}

Named split_query(std::string_view text) {
    const auto mark = text.find('?');
    if (mark == std::string_view::npos) return {std::string(text), {}};
    return {std::string(text.substr(0, mark)), parse_query(text.substr(mark + 1))};
}

Credentials credentials(const Parameters& parameters) {
    Credentials out;
    const auto set = [&out](std::string_view name, const std::string& value) {
        const auto known =
            std::ranges::find(out.attributes, name, [](const auto& each) -> std::string_view { return each.first; });
        if (known != out.attributes.end())
            known->second = value;
        else
            out.attributes.emplace_back(name, value);
    };
    for (const auto& [name, value] : parameters) {
        if (name == "user" || name == "username" || name == "login")
            out.login = value;
        else if (name == "pass" || name == "pwd" || name == "password")
            set("password", value);
        else
            set(name, value);
    }
    return out;
}

std::string printable(std::string_view text) {
    static constexpr std::size_t longest = 200;
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    while (!text.empty()) {
        if (out.size() >= longest) return out + "...";
        const auto length = utf8_length(text);
        const auto first = static_cast<std::uint8_t>(text[0]);
        if (length == 0 || first < 0x20 || first == 0x7f) {
            out += {'\\', 'x', digits[first >> 4], digits[first & 15]};
            text.remove_prefix(1);
        } else {
            out += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return out;
}

}  // namespace tapedeck
