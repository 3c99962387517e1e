#include "config/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include "config/value.hpp"

namespace tapedeck::host {
namespace {

/// As a cell of a table: on one line, nothing in it ends the cell or looks like a tag.
std::string cell(std::string_view text) {
    std::string out;
    bool in_code = false;
    for (const char c : text) {
        if (c == '`') in_code = !in_code;
        if (c == '|' || (c == '<' && !in_code)) out += '\\';
        out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out;
}

std::string code(std::string_view text) {
    return cell(fmt::format("`{}`", text));
}

std::string choices(std::string_view names) {
    std::string out;
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find('|'));
        names.remove_prefix(std::min(names.size(), name.size() + 1));
        out += fmt::format("{}{}", out.empty() ? "" : ", ", code(name));
    }
    return out;
}

std::string type_of(const td_key& key) {
    const std::string_view unit = key.unit == nullptr ? "" : key.unit;
    std::string type;
    switch (key.type) {
        case TD_INTEGER:
            type = "number";
            break;
        case TD_BOOLEAN:
            return "true or false";
        case TD_SIZE:
            type = unit.empty() ? "size" : fmt::format("size, bare number in {}", unit);
            break;
        case TD_DURATION:
            type = unit.empty() || unit == "s" ? "duration" : fmt::format("duration, bare number in {}", unit);
            break;
        case TD_CHOICE:
            return choices(key.choices == nullptr ? "" : key.choices);
        case TD_PATH:
            return "path";
        default:
            return "text";
    }
    if (key.min != key.max) type += fmt::format(", {} to {}", shown(key.type, key.min), shown(key.type, key.max));
    return type;
}

std::string notes_of(const td_key& key) {
    std::string text = cell(key.doc == nullptr ? "" : key.doc);
    const auto add = [&text](std::string_view note) { text += fmt::format("{}{}", text.empty() ? "" : ". ", note); };
    if (key.alias != nullptr) add(fmt::format("Also called {}", code(key.alias)));
    if ((key.flags & TD_KEY_REQUIRED) != 0) add("Required");
    if ((key.flags & TD_KEY_SECRET) != 0) add("Never shown");
    if ((key.flags & TD_KEY_RELOAD) != 0) add("Changes with SIGHUP");
    if ((key.flags & TD_KEY_RECORDING) != 0) add("May be set for one recording");
    return text;
}

void table(std::string& out, const std::vector<const Declared*>& keys) {
    out += "| Setting | Type | Default | Meaning |\n|---|---|---|---|\n";
    for (const Declared* declared : keys) {
        const td_key& key = *declared->key;
        const bool empty = key.fallback == nullptr || *key.fallback == '\0';
        fmt::format_to(std::back_inserter(out), "| {} | {} | {} | {} |\n", code(declared->name), type_of(key),
                       empty ? std::string() : code(key.fallback), notes_of(key));
    }
}

}  // namespace

std::string reference(const Schema& schema) {
    std::map<std::string, std::vector<const Declared*>> sections;
    for (const auto& [name, declared] : schema.keys()) sections[declared.owner].push_back(&declared);
    std::string out =
        "# Settings\n\n"
        "Every setting of `conf/flashphoner.properties`, written from the declarations in the source. Sizes are `64k`, "
        "`10M`,\n"
        "`1g` or bytes; durations `500ms`, `15s`, `60min`, `1h`; booleans `true`, `yes`, `on`, `1` and their "
        "opposites.\n"
        "Relative paths lie in the home folder. Any setting may be given as `-D key=value` on the command line.\n\n"
        "## Host\n\n";
    table(out, sections[""]);
    for (const auto& [prefix, doc] : schema.families())
        fmt::format_to(std::back_inserter(out), "\n{}: {}.\n", code(prefix + "<name>"), cell(doc));
    for (const auto& [owner, facts] : schema.owners()) {
        fmt::format_to(std::back_inserter(out), "\n## {}\n\n{}.\n", owner, cell(facts.doc));
        if (sections[owner].empty()) continue;
        out += '\n';
        table(out, sections[owner]);
    }
    return out;
}

}  // namespace tapedeck::host
