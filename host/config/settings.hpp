// The settings in force: checked values of all declared keys, as one snapshot that SIGHUP replaces.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/properties.hpp"
#include "config/schema.hpp"
#include "config/value.hpp"

namespace tapedeck::host {

/// What was written, before anything is judged: a file and what the command line lays over it.
struct Written {
    std::string file;                 ///< its name in messages, `flashphoner.properties`
    Properties lines;                 ///< of the file
    std::vector<Property> overrides;  ///< `-D key=value`, the last one of a key wins

    /// `flashphoner.properties:14` or `-D`.
    std::string place(const Property& property) const;
    /// Null when neither has the key.
    const Property* find(std::string_view key) const;
    /// What gives a key its value: of the command line before the file, by full name before the alias.
    const Property* find(const Declared& declared) const;
};

/// An immutable snapshot. Any thread.
class Settings {
public:
    struct Problem {
        std::string place;     ///< `flashphoner.properties:14`
        std::size_t line = 0;  ///< 0: the command line
        std::string key, text;
    };

    /// Resolves every key of `schema`: its full name, else its alias, else its default; overrides before the file. A
    /// value that cannot be used becomes a problem and leaves the default.
    Settings(std::shared_ptr<const Schema> schema, std::shared_ptr<const Written> written, std::filesystem::path home);

    /// Null when nobody declares a key of that full name.
    const Value* find(std::string_view name) const;
    /// Names after `prefix` with their values: `webm` -> `webm_lavf` for `prefer.`.
    std::map<std::string, std::string> family(std::string_view prefix) const;
    /// REQUIRED keys of a plugin that nobody set, by full name.
    std::vector<std::string> missing(std::string_view owner) const;

    /// In the order of the file.
    const std::vector<Problem>& problems() const { return problems_; }
    const Schema& schema() const { return *schema_; }
    const Written& written() const { return *written_; }
    const std::filesystem::path& home() const { return home_; }
    /// How paths of a key of `owner` are read.
    PathRules paths(std::string_view owner) const;

private:
    friend class SettingsSource;
    void add_problem(const Property& property, std::string_view why);

    std::shared_ptr<const Schema> schema_;
    std::shared_ptr<const Written> written_;
    std::filesystem::path home_;
    std::map<std::string, Value, std::less<>> values_;
    std::vector<Problem> problems_;
};

/// Holds the newest snapshot. Reading is for any thread; `declare` and `reload` are for one at a time.
class SettingsSource {
public:
    /// Reads `file`, unless it is empty, and lays `key=value` texts over it. Throws Error when it cannot be read, is
    /// larger than 1 MB or an override has no `=`.
    SettingsSource(std::filesystem::path home, std::filesystem::path file, std::span<const std::string> overrides);
    /// From text instead of a file.
    SettingsSource(std::filesystem::path home, std::string_view text);

    /// See Schema::add. Host parts have no owner; plugins are declared when they are found and again when enabled.
    void declare(std::string_view owner, std::string_view doc, std::span<const td_key* const> keys,
                 bool enabled = true);
    void declare_family(std::string_view prefix, std::string_view doc);

    std::shared_ptr<const Settings> current() const;

    struct Reloaded {
        std::vector<std::string> changed;  ///< full names of keys with new values
        std::vector<std::string> waiting;  ///< written anew, but only read at the next start
    };
    /// Reads the file again; only RELOAD keys change. Throws Error and changes nothing when the file cannot be read or
    /// has a wrong value; its text has a line for each.
    Reloaded reload();

private:
    Reloaded replace(std::shared_ptr<const Schema> schema, std::shared_ptr<const Written> written);
    std::shared_ptr<const Written> read() const;

    std::filesystem::path home_, file_;
    std::vector<Property> overrides_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> current_;
};

/// The settings of one owner: a plugin, or the host where `owner` is empty. Every read sees the newest snapshot;
/// options of a recording, where given, come first. Any thread; the source must outlive it. The key must be declared at
/// the source and have the type asked for, else std::logic_error.
class Scope {
public:
    Scope(const SettingsSource& source, std::string_view owner) : source_(&source), owner_(owner) {}

    std::int64_t integer(const td_key& key, const td_options* over = nullptr) const;
    bool boolean(const td_key& key, const td_options* over = nullptr) const;
    std::uint64_t bytes(const td_key& key, const td_options* over = nullptr) const;
    std::chrono::microseconds duration(const td_key& key, const td_options* over = nullptr) const;
    /// Of texts and choices.
    std::string text(const td_key& key, const td_options* over = nullptr) const;
    /// Absolute; empty when the default is empty and nobody set it.
    std::filesystem::path path(const td_key& key, const td_options* over = nullptr) const;
    /// Whether somebody set it, in the file, on the command line or for the recording.
    bool is_set(const td_key& key, const td_options* over = nullptr) const;

    /// By short name; nothing when it is not declared. What td_host.option_int and option_text answer with.
    std::optional<Value> find(std::string_view short_name, const td_options* over = nullptr) const;

    const std::string& owner() const { return owner_; }

private:
    Value get(const td_key& key, std::uint32_t type, const td_options* over) const;

    const SettingsSource* source_;
    std::string owner_;
};

}  // namespace tapedeck::host
