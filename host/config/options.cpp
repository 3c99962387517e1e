#include "config/options.hpp"

#include <fmt/format.h>

#include <array>
#include <set>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t max_text = 4096;
/// The `config` object of REST (R71) and the flat names behind it.
constexpr std::array rest_names{
    std::pair<std::string_view, std::string_view>{"fileTemplate", "stream_record_policy_template"},
    std::pair<std::string_view, std::string_view>{"rotation", "record_rotation"},
};

std::string_view flat_name(std::string_view name) {
    for (const auto& [rest, flat] : rest_names)
        if (name == rest) return flat;
    return name;
}

bool is_option(const Schema& schema, const Declared& declared) {
    return (declared.key->flags & TD_KEY_RECORDING) != 0 && schema.enabled(declared.owner);
}

[[noreturn]] void refuse_name(const Schema& schema, const std::string& name, bool known) {
    if (known) throw Error(fmt::format("'{}' is a setting of the server, not of one recording", name), TD_MALFORMED);
    std::set<std::string, std::less<>> names;
    for (const auto& [full, declared] : schema.keys()) {
        if (!is_option(schema, declared)) continue;
        names.insert(full);
        if (declared.key->alias != nullptr) names.insert(declared.key->alias);
    }
    for (const auto& [rest, flat] : rest_names)
        if (names.contains(flat)) names.emplace(rest);
    const auto near = nearest_of(names, name);
    throw Error(
        fmt::format("unknown setting '{}'{}", printable(name), near ? fmt::format("; did you mean '{}'?", *near) : ""),
        TD_MALFORMED);
}

/// The keys behind a name; several where plugins share an alias.
std::vector<const Declared*> behind(const Schema& schema, const std::string& name) {
    std::vector<const Declared*> result;
    const std::string_view flat = flat_name(name);
    if (const Declared* declared = schema.find(flat))
        result.push_back(declared);
    else
        result = schema.aliased(flat);
    const bool known = !result.empty();
    std::erase_if(result, [&](const Declared* declared) { return !is_option(schema, *declared); });
    if (result.empty()) refuse_name(schema, name, known);
    return result;
}

void add(td_options& options, const Settings& settings, const std::string& name, const std::string& text) {
    if (text.size() > max_text)
        throw Error(fmt::format("'{}': {} bytes are too many; {} may be given", printable(name), text.size(), max_text),
                    TD_MALFORMED);
    for (const Declared* declared : behind(settings.schema(), name)) {
        try {
            const Value value = parse_value(*declared->key, text, settings.paths(declared->owner));
            if (!value.is_set) continue;  // empty, where nothing is no value
            if (name == declared->name)
                options.values.insert_or_assign(declared->name, value);
            else
                options.values.emplace(declared->name, value);
        } catch (const Error& error) {
            throw Error(printable(name), error);
        }
    }
}

}  // namespace

td_options make_options(const Settings& settings, const OptionTexts& texts) {
    td_options options;
    for (const auto& [name, text] : texts) add(options, settings, name, text);
    return options;
}

td_options restore_options(const Settings& settings, const OptionTexts& texts) {
    td_options options;
    for (const auto& [name, text] : texts) {
        try {
            add(options, settings, name, text);
        } catch (const Error&) {
            continue;  // the plugin that knew it is gone: the recording goes on without it
        }
    }
    return options;
}

OptionTexts texts_of(const td_options& options) {
    OptionTexts texts;
    for (const auto& [name, value] : options.values) texts.emplace(name, value.text);
    return texts;
}

}  // namespace tapedeck::host
