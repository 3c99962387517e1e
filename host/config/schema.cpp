#include "config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "config/value.hpp"

namespace tapedeck::host {
namespace {

bool is_name(const char* name) {
    if (name == nullptr || *name == '\0') return false;
    return std::ranges::all_of(std::string_view(name), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    });
}

/// A wrong declaration is the author's mistake; it must not wait for the first read.
void check_declaration(const Declared& declared) {
    const td_key& key = *declared.key;
    const auto wrong = [&declared](std::string_view why) {
        throw Error(fmt::format("setting '{}' is declared wrongly: {}", declared.name, why), TD_MALFORMED);
    };
    if (key.type < TD_TEXT || key.type > TD_PATH) wrong(fmt::format("there is no type {}", key.type));
    if (key.alias != nullptr && !is_name(key.alias)) wrong("its alias is no name");
    const bool required = (key.flags & TD_KEY_REQUIRED) != 0;
    const bool has_default = key.fallback != nullptr && *key.fallback != '\0';
    if (!has_default && !required && key.type != TD_TEXT && key.type != TD_PATH) wrong("it has no default");
    try {
        default_value(key, {"/", false});
    } catch (const Error& error) {
        wrong(fmt::format("its default {}", error.what()));
    }
}

}  // namespace

void Schema::add(std::string_view owner, std::string_view doc, std::span<const td_key* const> keys, bool enabled) {
    Schema next = *this;  // nothing changes when one of the keys is wrong
    if (!owner.empty()) {
        std::erase_if(next.keys_, [&](const auto& entry) { return entry.second.owner == owner; });
        next.owners_.insert_or_assign(std::string(owner), Owner{std::string(doc), enabled});
    }
    for (const td_key* key : keys) {
        if (key == nullptr || !is_name(key->name))
            throw Error(fmt::format("a setting of '{}' has no usable name", owner));
        Declared declared{key, std::string(owner), owner.empty() ? key->name : fmt::format("{}.{}", owner, key->name)};
        check_declaration(declared);
        if (!next.keys_.emplace(declared.name, declared).second)
            throw Error(fmt::format("setting '{}' is declared twice", declared.name), TD_EXISTS);
    }
    next.aliases_.clear();
    for (const auto& [name, declared] : next.keys_)
        if (declared.key->alias != nullptr) next.aliases_[declared.key->alias].insert(name);
    *this = std::move(next);
}

void Schema::add_family(std::string_view prefix, std::string_view doc) {
    families_.insert_or_assign(std::string(prefix), std::string(doc));
}

bool Schema::enabled(std::string_view owner) const {
    const auto found = owners_.find(owner);
    return found == owners_.end() || found->second.enabled;
}

const Declared* Schema::find(std::string_view name) const {
    const auto found = keys_.find(name);
    return found == keys_.end() ? nullptr : &found->second;
}

std::vector<const Declared*> Schema::aliased(std::string_view alias) const {
    std::vector<const Declared*> result;
    if (const auto found = aliases_.find(alias); found != aliases_.end())
        for (const std::string& name : found->second) result.push_back(find(name));
    return result;
}

bool Schema::knows(std::string_view name) const {
    if (keys_.contains(name) || aliases_.contains(name)) return true;
    return std::ranges::any_of(families_, [name](const auto& family) {
        return name.starts_with(family.first) && name.size() > family.first.size();
    });
}

std::set<std::string, std::less<>> Schema::names() const {
    std::set<std::string, std::less<>> result;
    for (const auto& [full, declared] : keys_) result.insert(full);
    for (const auto& [alias, full] : aliases_) result.insert(alias);
    return result;
}

std::optional<std::string> Schema::nearest(std::string_view name) const {
    return nearest_of(names(), name);
}

std::size_t edit_distance(std::string_view one, std::string_view other, std::size_t limit) {
    const std::size_t lengths = one.size() > other.size() ? one.size() - other.size() : other.size() - one.size();
    if (lengths > limit) return limit + 1;
    // Three rows of the table are enough: a swap of neighbours looks two rows back.
    std::vector<std::size_t> before(other.size() + 1), above(other.size() + 1), row(other.size() + 1);
    for (std::size_t j = 0; j <= other.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= one.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const bool same = one[i - 1] == other[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        if (std::ranges::min(row) > limit) return limit + 1;
    }
    return std::min(row[other.size()], limit + 1);
}

std::optional<std::string> nearest_of(const std::set<std::string, std::less<>>& names, std::string_view name) {
    std::optional<std::string> best;
    std::size_t least = 3;
    for (const std::string& candidate : names) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < least && 2 * distance < std::min(name.size(), candidate.size())) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace tapedeck::host
