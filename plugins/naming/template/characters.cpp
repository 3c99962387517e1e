// UTF-8 as file names need it.
#include "characters.hpp"

#include <cstdint>

namespace tapedeck::naming {

namespace {

bool is_control(std::string_view character) {
    const auto first = static_cast<std::uint8_t>(character.front());
    if (character.size() == 1) return first < 0x20 || first == 0x7F;
    return first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0;  // U+0080 to U+009F
}

/// `text` with every character for which `is_bad` holds, and every byte that is no UTF-8, as `_`.
template <class IsBad>
std::string cleaned(std::string_view text, IsBad is_bad) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto [size, valid] = first_character(text);
        const auto character = text.substr(0, size);
        if (!valid || is_bad(character))
            result += '_';
        else
            result += character;
        text.remove_prefix(size);
    }
    return result;
}

}  // namespace

Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return {1, true};
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < size) return {1, false};
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;  // of the second byte; narrower where the form would be too long or out of range
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (byte(1) < low || byte(1) > high) return {1, false};
    for (std::size_t i = 2; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80) return {1, false};
    return {size, true};
}

std::string_view first_characters(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    for (; count > 0 && end < text.size(); --count) end += first_character(text.substr(end)).size;
    return text.substr(0, end);
}

std::string_view cut_to_bytes(std::string_view text, std::size_t bytes) {
    std::size_t end = 0;
    while (end < text.size()) {
        const auto next = end + first_character(text.substr(end)).size;
        if (next > bytes) break;
        end = next;
    }
    return text.substr(0, end);
}

std::string without(std::string_view text, std::string_view excluded) {
    if (excluded.empty()) return std::string(text);
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto size = first_character(text).size;
        // UTF-8 is self-synchronising: a whole character found in `excluded` is one of its characters.
        if (excluded.find(text.substr(0, size)) == std::string_view::npos) result += text.substr(0, size);
        text.remove_prefix(size);
    }
    return result;
}

std::string safe_component(std::string_view text) {
    auto result = cleaned(text, [](std::string_view character) { return character == "/" || is_control(character); });
    if (result.starts_with('.')) result.front() = '_';
    return result;
}

std::string portable(std::string_view text) {
    return cleaned(text, [](std::string_view character) {
        return is_control(character) || std::string_view("/\\:*?\"<>|").find(character) != std::string_view::npos;
    });
}

}  // namespace tapedeck::naming
