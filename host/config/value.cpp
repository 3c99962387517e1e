#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::array duration_units{
    Unit{"us", 1},           Unit{"ms", 1'000},        Unit{"s", 1'000'000},      Unit{"sec", 1'000'000},
    Unit{"min", 60'000'000}, Unit{"h", 3'600'000'000}, Unit{"d", 86'400'000'000},
};
constexpr std::array size_units{
    Unit{"b", 1},       Unit{"k", 1 << 10},  Unit{"kb", 1 << 10},  Unit{"m", 1 << 20},    Unit{"mb", 1 << 20},
    Unit{"g", 1 << 30}, Unit{"gb", 1 << 30}, Unit{"t", 1LL << 40}, Unit{"tb", 1LL << 40},
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// `-12`; nothing when it is something else or does not fit.
std::optional<std::int64_t> whole_number(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    std::int64_t number = 0;
    for (const char c : text) {
        if (__builtin_mul_overflow(number, 10, &number)) return std::nullopt;
        if (__builtin_sub_overflow(number, c - '0', &number))
            return std::nullopt;  // negative: it has room for the minimum
    }
    if (negative) return number;
    if (number == INT64_MIN) return std::nullopt;
    return -number;
}

/// `12`, `1.5h`, `64 k`: a number, not negative, and one of `units`; without one, `bare`.
template <std::size_t N>
std::optional<std::int64_t> measured(std::string_view text, const std::array<Unit, N>& units, std::string_view bare) {
    const auto digits = [&text] {
        const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
        const auto found = text.substr(0, end);
        text.remove_prefix(end);
        return found;
    };
    const std::string_view whole = digits();
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = digits();
        if (fraction.empty() || fraction.size() > 6) return std::nullopt;
    }
    while (text.starts_with(' ')) text.remove_prefix(1);
    const std::string name = lower(text.empty() ? bare : text);
    const auto unit = std::ranges::find(units, name, &Unit::name);
    const auto number = whole_number(whole);
    if (!number || unit == units.end()) return std::nullopt;
    std::int64_t result = 0;
    if (__builtin_mul_overflow(*number, unit->factor, &result)) return std::nullopt;
    std::int64_t part = unit->factor;  // of the largest unit, 86.4e9 or 2^40, times 10^6: fits
    std::int64_t scale = 1;
    for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
    if (!fraction.empty()) part = part * *whole_number(fraction) / scale;
    if (!fraction.empty() && __builtin_add_overflow(result, part, &result)) return std::nullopt;
    return result;
}

std::optional<std::int64_t> truth(std::string_view text) {
    const std::string word = lower(text);
    for (const std::string_view yes : {"true", "yes", "on", "1"})
        if (word == yes) return 1;
    for (const std::string_view no : {"false", "no", "off", "0"})
        if (word == no) return 0;
    return std::nullopt;
}

std::optional<std::string_view> chosen(std::string_view choices, std::string_view text) {
    const std::string word = lower(text);
    while (!choices.empty()) {
        const std::string_view choice = choices.substr(0, choices.find('|'));
        if (lower(choice) == word) return choice;
        choices.remove_prefix(std::min(choices.size(), choice.size() + 1));
    }
    return std::nullopt;
}

std::string_view text_or_empty(const char* text) {
    return text == nullptr ? std::string_view() : text;
}

/// The value as it may be shown.
std::string quoted(const td_key& key, std::string_view text) {
    return (key.flags & TD_KEY_SECRET) != 0 ? "the value" : "'" + printable(text) + "'";
}

[[noreturn]] void refuse(const td_key& key, std::string_view text, std::string_view why) {
    throw Error(fmt::format("{} {}", quoted(key, text), why), TD_MALFORMED);
}

std::int64_t number_of(const td_key& key, std::string_view text) {
    std::optional<std::int64_t> number;
    const std::string_view unit = text_or_empty(key.unit);
    switch (key.type) {
        case TD_INTEGER:
            number = whole_number(text);
            if (!number) refuse(key, text, "is not a whole number");
            break;
        case TD_BOOLEAN:
            number = truth(text);
            if (!number) refuse(key, text, "is neither true nor false");
            return *number;
        case TD_SIZE:
            number = measured(text, size_units, unit.empty() ? "b" : unit);
            if (!number) refuse(key, text, "is not a size; write 64k, 10M, 1g or a number");
            break;
        default:
            number = measured(text, duration_units, unit.empty() ? "s" : unit);
            if (!number) refuse(key, text, "is not a duration; write 500ms, 15s, 60min, 1h or a number");
    }
    if (key.min != key.max && (*number < key.min || *number > key.max))
        refuse(
            key, text,
            fmt::format("is out of range; it goes from {} to {}", shown(key.type, key.min), shown(key.type, key.max)));
    return *number;
}

}  // namespace

std::string_view intern(std::string_view text) {
    static std::mutex mutex;
    static auto& texts = *new std::set<std::string, std::less<>>;  // outlives every static object of a plugin
    const std::lock_guard lock(mutex);
    const auto known = texts.find(text);
    return known != texts.end() ? *known : *texts.emplace(text).first;
}

std::string shown(std::uint32_t type, std::int64_t number) {
    std::string text = std::to_string(number);
    const auto take = [&](std::string_view unit, std::int64_t factor) {
        if (number >= factor && number % factor == 0) text = fmt::format("{}{}", number / factor, unit);
    };
    if (type == TD_SIZE)
        for (const auto& [unit, factor] :
             {Unit{"k", 1 << 10}, Unit{"m", 1 << 20}, Unit{"g", 1 << 30}, Unit{"t", 1LL << 40}})
            take(unit, factor);
    if (type == TD_DURATION) {
        if (number != 0) text += "us";
        for (const auto& unit : duration_units)
            if (unit.name != "sec") take(unit.name, unit.factor);
    }
    return text;
}

std::filesystem::path PathRules::resolve(std::string_view written) const {
    static constexpr std::string_view stock = "/usr/local/FlashphonerWebCallServer";
    if (written.empty()) return {};
    const std::string_view rest = written.substr(std::min(written.size(), stock.size()));
    if (written.starts_with(stock) && (rest.empty() || rest.front() == '/')) {
        const std::size_t name = rest.find_first_not_of('/');
        written = name == std::string_view::npos ? std::string_view(".") : rest.substr(name);
    } else if (hook && written.find('/') == std::string_view::npos) {
        return (home / "bin" / written).lexically_normal();
    }
    const auto path = (home / written).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

Value parse_value(const td_key& key, std::string_view text, const PathRules& paths) {
    if (text.empty() && key.type != TD_TEXT && !(key.type == TD_PATH && paths.hook)) return default_value(key, paths);
    Value value{.text = {}, .number = 0, .type = key.type, .is_set = true};
    switch (key.type) {
        case TD_TEXT:
            value.text = intern(text);
            break;
        case TD_CHOICE: {
            const auto choice = chosen(text_or_empty(key.choices), text);
            if (!choice) {
                std::string names(text_or_empty(key.choices));
                for (std::size_t at = 0; (at = names.find('|', at)) != std::string::npos; at += 2)
                    names.replace(at, 1, ", ");
                refuse(key, text, "is none of: " + names);
            }
            value.text = intern(*choice);
            break;
        }
        case TD_PATH:
            if (text.find('\0') != std::string_view::npos) refuse(key, text, "is no path: it has a NUL character");
            value.text = intern(paths.resolve(text).native());
            break;
        default:
            value.number = number_of(key, text);
            value.text = intern(text);
    }
    return value;
}

Value default_value(const td_key& key, const PathRules& paths) {
    const std::string_view fallback = text_or_empty(key.fallback);
    Value value{.text = {}, .number = 0, .type = key.type, .is_set = false};
    if (!fallback.empty()) value = parse_value(key, fallback, paths);
    value.is_set = false;
    return value;
}

}  // namespace tapedeck::host
