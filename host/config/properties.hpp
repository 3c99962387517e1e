// Java .properties text as entries with the lines they stand in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::host {

struct Property {
    std::string key;
    std::string value;
    std::size_t line = 0;  ///< where the key begins, from 1; 0: not from a file
};

/// What the text says, each key once. Keys and values are UTF-8 without spaces around them.
struct Properties {
    struct Note {
        std::size_t line;
        std::string text;
    };

    std::vector<Property> entries;  ///< in the order of the file; of a repeated key only the last one
    std::vector<Note> notes;        ///< what the operator should know: repeated keys, broken escapes

    /// Null when the key is not there.
    const Property* find(std::string_view key) const;
};

/// Reads the syntax of java.util.Properties: `=`, `:` or space after the key, `#` and `!` comments, continued lines,
/// escapes with \uXXXX, any line end, a byte order mark. Text that is not UTF-8 is taken as ISO 8859-1, as Java does.
/// Never fails: anything is some list of keys; what looks wrong becomes a note. Pure.
Properties parse_properties(std::string_view text);

}  // namespace tapedeck::host
