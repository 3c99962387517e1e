// All settings that host parts and plugins declare: names, aliases, nearest names.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// One declared setting. The key lives as long as the process.
struct Declared {
    const td_key* key = nullptr;
    std::string owner;  ///< `writer.mp4`; empty: the host's own
    std::string name;   ///< in full: `writer.mp4.fragment`, `record_dir`
};

/// What may be set. A value; plugins found later are added to a copy.
class Schema {
public:
    struct Owner {
        std::string doc;
        bool enabled = true;  ///< of one that is not, names are known but values are neither checked nor used
    };

    /// Adds the keys of a host part (owner empty, any number of times) or of a plugin, `<kind>.<id>`, for which a
    /// second call replaces the first. Throws Error when a declaration is wrong: a default that does not parse, a name
    /// twice.
    void add(std::string_view owner, std::string_view doc, std::span<const td_key* const> keys, bool enabled = true);
    /// Keys that begin so and go on with a name of somebody else's choice: `prefer.` for `prefer.webm = webm_lavf`.
    void add_family(std::string_view prefix, std::string_view doc);

    /// True for the host itself, for plugins as they were added.
    bool enabled(std::string_view owner) const;
    /// By full name; null when nobody declares it.
    const Declared* find(std::string_view name) const;
    /// Several keys may share one alias.
    std::vector<const Declared*> aliased(std::string_view alias) const;
    /// Whether a line of a file may have this name: full name, alias or member of a family.
    bool knows(std::string_view name) const;
    /// All names that `knows` knows, but for those of families.
    std::set<std::string, std::less<>> names() const;
    /// The known name at most two edits away that is nearest, the first one by alphabet among equals.
    std::optional<std::string> nearest(std::string_view name) const;

    /// By full name.
    const std::map<std::string, Declared, std::less<>>& keys() const { return keys_; }
    const std::map<std::string, Owner, std::less<>>& owners() const { return owners_; }
    const std::map<std::string, std::string, std::less<>>& families() const { return families_; }

private:
    std::map<std::string, Declared, std::less<>> keys_;
    std::map<std::string, std::set<std::string>, std::less<>> aliases_;  ///< alias -> full names
    std::map<std::string, Owner, std::less<>> owners_;
    std::map<std::string, std::string, std::less<>> families_;
};

/// How many insertions, removals, replacements and swaps of neighbours turn one into the other; `limit + 1` at most.
std::size_t edit_distance(std::string_view one, std::string_view other, std::size_t limit = 2);

/// Of `names`, the one at most two edits away and nearest; short names allow fewer edits, so that `ip` is like nothing.
std::optional<std::string> nearest_of(const std::set<std::string, std::less<>>& names, std::string_view name);

}  // namespace tapedeck::host
