// What `encode_record_name` does to a name.
#include "encoding.hpp"

#include <algorithm>
#include <cstdint>

#include "tapedeck/context.hpp"

namespace tapedeck::naming {

namespace {

std::string hex(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    result.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string result;
    result.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned held = 0;  // bits that are not written yet
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<std::uint8_t>(c);
        for (held += 8; held >= 6; held -= 6) result += digits[bits >> (held - 6) & 63];
    }
    if (held > 0) result += digits[bits << (6 - held) & 63];
    return result;
}

}  // namespace

Encoding parse_encoding(std::string_view setting) {
    std::string text;
    for (const char c : setting) {
        if (c == ' ' || c == '\t') continue;
        text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (text.empty() || text == "false" || text.starts_with("false,")) return Encoding::none;
    if (text == "true,hex") return Encoding::hex;
    if (text == "true,base64") return Encoding::base64;
    throw Error(TD_MALFORMED, "encode_record_name (naming.template.encode) is '" + std::string(setting) +
                                  "'; write false, true,HEX or true,BASE64");
}

std::string encode(Encoding encoding, std::string_view bytes) {
    switch (encoding) {
        case Encoding::hex:
            return hex(bytes);
        case Encoding::base64:
            return base64(bytes);
        case Encoding::none:
            break;
    }
    return std::string(bytes);
}

std::size_t encodable(Encoding encoding, std::size_t room) {
    switch (encoding) {
        case Encoding::hex:
            return room / 2;
        case Encoding::base64:
            return room * 3 / 4;
        case Encoding::none:
            break;
    }
    return room;
}

}  // namespace tapedeck::naming
