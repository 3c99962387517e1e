// UTF-8 as file names need it: cuts between characters, removals, and what must not stand in a name. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tapedeck::naming {

/// One character at the start of a text.
struct Character {
    std::size_t size = 0;  /// in bytes; 1 for a byte that is no UTF-8
    bool valid = false;    /// RFC 3629 section 3: shortest form, no surrogates, at most U+10FFFF
};

/// The first character of `text`, which is not empty.
Character first_character(std::string_view text);

/// The first `count` characters.
std::string_view first_characters(std::string_view text, std::size_t count);

/// The longest beginning of at most `bytes` bytes that does not end inside a character.
std::string_view cut_to_bytes(std::string_view text, std::size_t bytes);

/// `text` without the characters that stand in `excluded`.
std::string without(std::string_view text, std::string_view excluded);

/// `text` as one part of a path: `/`, control characters (C0, DEL, C1), bytes that are no UTF-8 and a leading `.`
/// become `_`.
std::string safe_component(std::string_view text);

/// What a recorder's URI becomes (R109): everything that some file system forbids becomes `_`.
std::string portable(std::string_view text);

}  // namespace tapedeck::naming
