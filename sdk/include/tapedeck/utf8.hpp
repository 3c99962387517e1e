// Text from outside: is it UTF-8 (RFC 3629, Unicode table 3-7)?
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tapedeck {

/// How many bytes the character at the start of `text` has, which is not empty; 0 when it is none.
inline std::size_t utf8_size(std::string_view text) {
    const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    for (std::size_t n = 1; n < size; ++n)
        if ((byte(n) & 0xc0) != 0x80) return 0;
    const unsigned second = byte(1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool surrogate = first == 0xed && second > 0x9f;
    const bool too_large = first == 0xf4 && second > 0x8f;
    return overlong || surrogate || too_large ? 0 : size;
}

inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto size = utf8_size(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

/// Each byte that is not part of a character becomes `instead`, by default U+FFFD.
inline std::string valid_utf8(std::string_view text, std::string_view instead = "\xEF\xBF\xBD") {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const auto size = utf8_size(text);
        valid += size == 0 ? instead : text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return valid;
}

}  // namespace tapedeck
