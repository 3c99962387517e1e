#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/options.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t max_file = 1 << 20;

std::string read_file(const std::filesystem::path& file) {
    std::error_code status;
    if (std::filesystem::is_directory(file, status))
        throw Error(fmt::format("{}: is a folder", file.native()), TD_FAILED);
    std::ifstream in(file, std::ios::binary);
    if (!in) throw_errno(fmt::format("settings file {}", file.native()), errno);
    std::string text(max_file + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_file) throw Error(fmt::format("{}: larger than 1 MB, no settings file", file.native()));
    return text;
}

bool same(const Value& one, const Value& other) {
    return one.number == other.number && one.text == other.text;
}

const Property* last_of(const std::vector<Property>& properties, std::string_view key) {
    const auto found =
        std::find_if(properties.rbegin(), properties.rend(), [key](const Property& p) { return p.key == key; });
    return found == properties.rend() ? nullptr : &*found;
}

}  // namespace

std::string Written::place(const Property& property) const {
    return property.line == 0 ? "-D" : fmt::format("{}:{}", file, property.line);
}

const Property* Written::find(std::string_view key) const {
    const Property* over = last_of(overrides, key);
    return over != nullptr ? over : lines.find(key);
}

const Property* Written::find(const Declared& declared) const {
    const std::string_view alias = declared.key->alias == nullptr ? std::string_view() : declared.key->alias;
    for (const auto* layer : {&overrides, &lines.entries})
        for (const std::string_view name : {std::string_view(declared.name), alias})
            if (const Property* found = name.empty() ? nullptr : last_of(*layer, name)) return found;
    return nullptr;
}

Settings::Settings(std::shared_ptr<const Schema> schema, std::shared_ptr<const Written> written,
                   std::filesystem::path home)
    : schema_(std::move(schema)), written_(std::move(written)), home_(std::move(home)) {
    for (const auto& [name, declared] : schema_->keys()) {
        const PathRules rules = paths(declared.owner);
        Value value = default_value(*declared.key, rules);
        if (const Property* property = written_->find(declared)) {
            try {
                value = parse_value(*declared.key, property->value, rules);
            } catch (const Error& error) {
                if (schema_->enabled(declared.owner)) add_problem(*property, error.what());
            }
        }
        values_.emplace(name, value);
    }
    std::ranges::stable_sort(problems_, {}, &Problem::line);
}

void Settings::add_problem(const Property& property, std::string_view why) {
    Problem problem{written_->place(property), property.line, property.key, fmt::format("{}: {}", property.key, why)};
    const auto same_as = [&problem](const Problem& other) {
        return other.place == problem.place && other.text == problem.text;
    };
    // An alias that several plugins share is wrong for each of them, but it is one mistake.
    if (std::ranges::none_of(problems_, same_as)) problems_.push_back(std::move(problem));
}

const Value* Settings::find(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
}

std::map<std::string, std::string> Settings::family(std::string_view prefix) const {
    std::map<std::string, std::string> result;
    for (const auto* layer : {&written_->lines.entries, &written_->overrides})
        for (const Property& property : *layer)
            if (property.key.size() > prefix.size() && property.key.starts_with(prefix))
                result.insert_or_assign(property.key.substr(prefix.size()), property.value);
    return result;
}

std::vector<std::string> Settings::missing(std::string_view owner) const {
    std::vector<std::string> result;
    for (const auto& [name, declared] : schema_->keys())
        if (declared.owner == owner && (declared.key->flags & TD_KEY_REQUIRED) != 0) {
            const Property* property = written_->find(declared);
            if (property == nullptr || property->value.empty()) result.push_back(name);
        }
    return result;
}

PathRules Settings::paths(std::string_view owner) const {
    return {home_, owner.starts_with("hook.")};
}

SettingsSource::SettingsSource(std::filesystem::path home, std::filesystem::path file,
                               std::span<const std::string> overrides)
    : home_(std::move(home)), file_(std::move(file)) {
    for (const std::string& text : overrides) {
        // The same rules as in a file, so that escapes and spaces mean the same.
        const Properties parsed = parse_properties(text);
        if (parsed.entries.size() != 1 || parsed.entries[0].key.empty() || text.find('=') == std::string::npos)
            throw Error(fmt::format("-D {}: write -D key=value", printable(text)), TD_MALFORMED);
        overrides_.push_back({parsed.entries[0].key, parsed.entries[0].value, 0});
    }
    current_ = std::make_shared<const Settings>(std::make_shared<const Schema>(), read(), home_);
}

SettingsSource::SettingsSource(std::filesystem::path home, std::string_view text) : home_(std::move(home)) {
    auto written = std::make_shared<Written>();
    written->file = "flashphoner.properties";
    written->lines = parse_properties(text);
    current_ = std::make_shared<const Settings>(std::make_shared<const Schema>(), std::move(written), home_);
}

void SettingsSource::declare(std::string_view owner, std::string_view doc, std::span<const td_key* const> keys,
                             bool enabled) {
    const auto now = current();
    auto schema = std::make_shared<Schema>(now->schema());
    schema->add(owner, doc, keys, enabled);
    replace(std::move(schema), now->written_);
}

void SettingsSource::declare_family(std::string_view prefix, std::string_view doc) {
    const auto now = current();
    auto schema = std::make_shared<Schema>(now->schema());
    schema->add_family(prefix, doc);
    replace(std::move(schema), now->written_);
}

std::shared_ptr<const Settings> SettingsSource::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

SettingsSource::Reloaded SettingsSource::reload() {
    if (file_.empty()) return {};
    const auto before = current();
    auto written = read();
    if (const Settings fresh(before->schema_, written, home_); !fresh.problems().empty()) {
        std::string text;
        for (const auto& problem : fresh.problems())
            text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", problem.place, problem.text);
        throw Error(text, TD_MALFORMED);
    }
    return replace(before->schema_, std::move(written));
}

SettingsSource::Reloaded SettingsSource::replace(std::shared_ptr<const Schema> schema,
                                                 std::shared_ptr<const Written> written) {
    const auto before = current();
    const auto next = std::make_shared<Settings>(std::move(schema), std::move(written), home_);
    Reloaded result;
    for (auto& [name, value] : next->values_) {
        const Declared& declared = *next->schema_->find(name);
        const Value* old = before->find(name);
        const bool in_use = old != nullptr && before->schema_->enabled(declared.owner);
        if (!in_use || same(value, *old)) continue;
        const bool reloads = (declared.key->flags & TD_KEY_RELOAD) != 0;
        (reloads ? result.changed : result.waiting).push_back(name);
        if (!reloads) value = *old;
    }
    const std::lock_guard lock(mutex_);
    current_ = next;
    return result;
}

std::shared_ptr<const Written> SettingsSource::read() const {
    auto written = std::make_shared<Written>();
    written->file = file_.empty() ? "flashphoner.properties" : file_.filename().native();
    if (!file_.empty()) written->lines = parse_properties(read_file(file_));
    written->overrides = overrides_;
    return written;
}

std::optional<Value> Scope::find(std::string_view short_name, const td_options* over) const {
    const std::string name = owner_.empty() ? std::string(short_name) : fmt::format("{}.{}", owner_, short_name);
    if (over != nullptr)
        if (const auto found = over->values.find(name); found != over->values.end()) return found->second;
    const auto settings = source_->current();
    const Value* value = settings->find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

Value Scope::get(const td_key& key, std::uint32_t type, const td_options* over) const {
    const auto value = find(key.name, over);
    if (!value) throw std::logic_error(fmt::format("setting {} of '{}' is not declared", key.name, owner_));
    if (value->type != type) throw std::logic_error(fmt::format("setting {} has another type", key.name));
    return *value;
}

std::int64_t Scope::integer(const td_key& key, const td_options* over) const {
    return get(key, TD_INTEGER, over).number;
}

bool Scope::boolean(const td_key& key, const td_options* over) const {
    return get(key, TD_BOOLEAN, over).number != 0;
}

std::uint64_t Scope::bytes(const td_key& key, const td_options* over) const {
    return static_cast<std::uint64_t>(get(key, TD_SIZE, over).number);
}

std::chrono::microseconds Scope::duration(const td_key& key, const td_options* over) const {
    return std::chrono::microseconds(get(key, TD_DURATION, over).number);
}

std::string Scope::text(const td_key& key, const td_options* over) const {
    return std::string(get(key, key.type == TD_CHOICE ? TD_CHOICE : TD_TEXT, over).text);
}

std::filesystem::path Scope::path(const td_key& key, const td_options* over) const {
    return get(key, TD_PATH, over).text;
}

bool Scope::is_set(const td_key& key, const td_options* over) const {
    return get(key, key.type, over).is_set;
}

}  // namespace tapedeck::host
