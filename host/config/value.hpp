// One value of a declared key: from the text that an operator wrote to a checked number or text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Cheap to copy; refers to nothing that ends.
struct Value {
    std::string_view text;  ///< as written; of a path the absolute one; of a choice in the declared spelling; interned
    std::int64_t number = 0;  ///< integers as is, booleans 0 or 1, sizes in bytes, durations in microseconds
    std::uint32_t type = TD_TEXT;
    bool is_set = false;  ///< false: nobody set it, this is the default
};

/// The same characters in memory that lives for ever. Thread-safe.
std::string_view intern(std::string_view text);

/// Where the paths of a file lie.
struct PathRules {
    std::filesystem::path home;  ///< absolute
    bool hook = false;           ///< settings of a hook: a name without a slash means `<home>/bin/` (R36)

    /// Absolute; the folder of a stock file, /usr/local/FlashphonerWebCallServer, means `home`. Empty stays empty.
    std::filesystem::path resolve(std::string_view written) const;
};

/// Checks type, range and choices. An empty text is the default, except where nothing is a value too: of a TD_TEXT, and
/// of a hook's path, where it means "no script". Throws Error(TD_MALFORMED) whose text begins with the quoted value:
/// `'abc' is not a whole number`.
Value parse_value(const td_key& key, std::string_view text, const PathRules& paths);

/// The value that counts while nobody sets another.
Value default_value(const td_key& key, const PathRules& paths);

/// A size or duration in its largest whole unit, `64k`, `15s`; other numbers as they are.
std::string shown(std::uint32_t type, std::int64_t number);

}  // namespace tapedeck::host
