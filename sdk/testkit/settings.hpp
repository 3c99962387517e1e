// FakeSettings of a FakeHost: values by short key, else the declared default, read as simply as a test needs.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "tapedeck/abi.h"

namespace tapedeck::testkit {

inline std::string_view string_of(td_text text) {
    return {text.data == nullptr ? "" : text.data, text.size};
}
inline td_text to_text(std::string_view text) {
    return {text.data(), text.size()};
}

/// `64k`, `500ms`, `true`, `12`: what the types TD_INTEGER, TD_BOOLEAN, TD_SIZE and TD_DURATION write. Throws
/// std::invalid_argument naming the value; there are no limits and no choices here, those are the host's to check.
inline std::int64_t parse_value(const td_key& key, std::string_view value) {
    if (key.type == TD_BOOLEAN) {
        if (value != "true" && value != "false") throw std::invalid_argument("not a boolean: " + std::string(value));
        return value == "true" ? 1 : 0;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc()) throw std::invalid_argument("not a number: " + std::string(value));
    std::string unit(end, value.data() + value.size());
    if (key.type == TD_DURATION) {
        if (unit.empty()) unit = key.unit == nullptr ? "s" : key.unit;
        static const std::map<std::string, std::int64_t, std::less<>> microseconds{
            {"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}, {"h", 3600000000}};
        const auto found = microseconds.find(unit);
        if (found == microseconds.end()) throw std::invalid_argument("not a duration: " + std::string(value));
        return number * found->second;
    }
    if (key.type == TD_SIZE && !unit.empty()) {
        const auto power = std::string_view("kmg").find(static_cast<char>(unit.front() | 0x20));
        if (unit.size() > 1 || power == std::string_view::npos)
            throw std::invalid_argument("not a size: " + std::string(value));
        return number << 10 * (power + 1);
    }
    if (!unit.empty()) throw std::invalid_argument("not a number: " + std::string(value));
    return number;
}

/// What `td_host.option_*` answers. Thread-safe; texts stay valid as long as this lives.
class FakeSettings {
public:
    /// Makes a key known; one that is not known answers TD_NOT_FOUND.
    void declare(const td_key& key) {
        const std::lock_guard lock(mutex_);
        keys_[key.name] = &key;
    }
    void set(std::string_view key, std::string_view value) {
        const std::lock_guard lock(mutex_);
        values_[std::string(key)] = value;
    }
    void unset(std::string_view key) {
        const std::lock_guard lock(mutex_);
        values_.erase(std::string(key));
    }
    /// Relative TD_PATH values lie below it; empty: they stay as they are.
    void home(std::string_view folder) {
        const std::lock_guard lock(mutex_);
        home_ = folder;
    }

    td_status integer(const td_options* options, td_text name, std::int64_t* value) const {
        const std::lock_guard lock(mutex_);
        const auto found = find(options, name);
        if (!found) return TD_NOT_FOUND;
        try {
            *value = parse_value(*found->key, found->value);
        } catch (const std::invalid_argument&) {
            return TD_MALFORMED;
        }
        return found->given ? TD_OK : TD_DEFAULT;
    }
    td_status text(const td_options* options, td_text name, td_text* value) const {
        const std::lock_guard lock(mutex_);
        const auto found = find(options, name);
        if (!found) return TD_NOT_FOUND;
        std::string result(found->value);
        if (found->key->type == TD_PATH && !result.empty() && result.front() != '/' && !home_.empty())
            result = home_ + '/' + result;
        *value = to_text(*texts_.insert(std::move(result)).first);
        return found->given ? TD_OK : TD_DEFAULT;
    }

    /// FakeSettings of one recording by short key; stands for a td_options and must outlive its use.
    using Overrides = std::map<std::string, std::string, std::less<>>;
    static const td_options* options(const Overrides& overrides) {
        return static_cast<const td_options*>(static_cast<const void*>(&overrides));
    }

private:
    struct Found {
        const td_key* key;
        std::string_view value;
        bool given;
    };
    std::optional<Found> find(const td_options* options, td_text name) const {
        const auto key = keys_.find(string_of(name));
        if (key == keys_.end()) return std::nullopt;
        if (options != nullptr) {
            const auto& overrides = *static_cast<const Overrides*>(static_cast<const void*>(options));
            if (const auto own = overrides.find(string_of(name)); own != overrides.end())
                return Found{key->second, own->second, true};
        }
        if (const auto value = values_.find(string_of(name)); value != values_.end())
            return Found{key->second, value->second, true};
        const char* fallback = key->second->fallback;
        return Found{key->second, fallback == nullptr ? "" : fallback, false};
    }

    mutable std::mutex mutex_;
    std::map<std::string, const td_key*, std::less<>> keys_;
    std::map<std::string, std::string, std::less<>> values_;
    std::string home_;
    mutable std::set<std::string> texts_;
};

}  // namespace tapedeck::testkit
