#include "record/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/yaml.hpp"
#include "record/formats.hpp"
#include "record/keys.hpp"
#include "record/rotation.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

/// Short names in rules of settings that have long ones.
constexpr std::array shorthands{std::pair{"template", "stream_record_policy_template"},
                                std::pair{"rotation", "record_rotation"}, std::pair{"formats", "record_formats"},
                                std::pair{"storage", "storage"}};

class Reader : YamlFile {
public:
    Reader(std::string_view file, const Settings& settings) : YamlFile(file), settings_(settings) {}

    std::vector<RecordRule> read(const std::string& text) const {
        std::vector<RecordRule> rules;
        const YAML::Node root = load(text);
        if (root.IsNull()) return rules;  // a file of comments
        expect_members(root, "the file", {"rules"});
        for (const auto& entry : list(root, "rules")) rules.push_back(rule(entry));
        return rules;
    }

private:
    RecordRule rule(const YAML::Node& entry) const {
        expect_members(entry, "a rule",
                       {"protocol", "name", "record", "template", "rotation", "formats", "storage", "settings"});
        RecordRule rule;
        rule.protocol = text(entry, "protocol");
        if (std::string name = text(entry, "name"); !name.empty()) rule.name = std::move(name);
        if (const auto node = member(entry, "record")) {
            bool record = false;
            if (!YAML::convert<bool>::decode(node, record)) fail(node.Mark(), "record is true or false");
            rule.record = record;
        }
        for (const auto& [short_name, full_name] : shorthands) {
            if (const auto node = member(entry, short_name)) set(rule, full_name, text(entry, short_name), node);
        }
        if (const auto more = member(entry, "settings"); more && !more.IsNull()) {
            if (!more.IsMap()) fail(more.Mark(), "settings consists of members, `key: value`");
            for (const auto& one : more) {
                if (!one.first.IsScalar() || !one.second.IsScalar()) {
                    fail(one.first.Mark(), "a setting is one text, `key: value`");
                }
                set(rule, one.first.Scalar(), one.second.Scalar(), one.first);
            }
        }
        return rule;
    }

    void set(RecordRule& rule, const std::string& key, const std::string& value, const YAML::Node& where) const {
        try {
            OptionTexts checked = texts_of(make_options(settings_, {{key, value}}));
            if (checked.contains(record_rotation.name)) parse_rotation(value);
            if (checked.contains(record_formats.name)) require_formats(value);
            if (checked.contains(storage_ids.name)) require_storages(value);
            rule.options.merge(checked);
        } catch (const Error& e) {
            fail(where.Mark(), e.what());
        }
    }

    static void require_formats(const std::string& value) {
        const Formats formats = parse_formats(value);
        if (!formats.problems.empty()) throw Error("formats: " + formats.problems.front(), TD_MALFORMED);
    }

    void require_storages(const std::string& value) const {
        const std::string all(settings_.find(storage_ids.name)->text);
        const auto known = list_of(all);
        for (const std::string& id : list_of(value)) {
            if (std::ranges::find(known, id) != known.end()) continue;
            throw Error(
                fmt::format("storage '{}' is none of the server's; setting 'storage' names {}", printable(id), all),
                TD_MALFORMED);
        }
    }

    const Settings& settings_;
};

}  // namespace

bool RecordRule::fits(const StreamInfo& stream) const {
    return (protocol.empty() || protocol == stream.protocol) && matches_pattern(name, stream.name);
}

std::vector<RecordRule> parse_record_rules(const std::string& text, std::string_view file, const Settings& settings) {
    return Reader(file, settings).read(text);
}

RecordRules::RecordRules(const SettingsSource& settings) : settings_(settings), rules_(read()) {}

std::shared_ptr<const RecordRules::Rules> RecordRules::read() const {
    const Scope scope(settings_, "");
    const std::filesystem::path file = scope.path(record_rules);
    const auto text = read_config_file(file, scope.is_set(record_rules), record_rules.name);
    if (!text) return std::make_shared<Rules>();
    return std::make_shared<Rules>(parse_record_rules(*text, file.filename().string(), *settings_.current()));
}

void RecordRules::reload() {
    auto fresh = read();
    const std::lock_guard lock(mutex_);
    rules_ = std::move(fresh);
}

RecordRule RecordRules::find(const StreamInfo& stream) const {
    std::shared_ptr<const Rules> rules;
    {
        const std::lock_guard lock(mutex_);
        rules = rules_;
    }
    const auto found = std::ranges::find_if(*rules, [&](const RecordRule& rule) { return rule.fits(stream); });
    return found == rules->end() ? RecordRule() : *found;
}

}  // namespace tapedeck::host
