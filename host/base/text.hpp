// Views between the ABI's texts and the standard library's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::host {

inline std::string_view view(td_text text) {
    return {text.data == nullptr ? "" : text.data, text.size};
}
inline td_text text_of(std::string_view text) {
    return {text.data(), text.size()};
}

/// Client input as it may stand in a log line or a message: control characters become `?`, at most `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 120);

/// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// ASCII letters only, whatever the locale.
std::string upper(std::string_view text);
std::string lower(std::string_view text);

/// Whether the whole of `text` matches a pattern of `*` (any characters) and `?` (one). Takes at most pattern times
/// text steps.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// The members of a list with commas, without the spaces around them; empty ones are left out.
std::vector<std::string> list_of(std::string_view text);

}  // namespace tapedeck::host
