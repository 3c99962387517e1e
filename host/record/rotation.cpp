#include "record/rotation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {

Rotation parse_rotation(std::string_view text) {
    const std::string_view value = trimmed(text);
    if (value.empty() || value == "0" || upper(value) == "DISABLED") return {};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const std::string suffix = upper(trimmed({end, static_cast<std::size_t>(value.data() + value.size() - end)}));
    const auto shift = suffix == "K" ? 10u : suffix == "M" ? 20u : suffix == "G" ? 30u : 0u;
    if (error != std::errc() || number > 1u << 31 || (shift == 0 && !suffix.empty())) {
        throw Error(fmt::format("record_rotation: '{}' is neither seconds (20) nor a size (10M) nor 'disabled'",
                                printable(text)),
                    TD_MALFORMED);
    }
    if (shift != 0) return {.bytes = number << shift};
    return {.duration_us = static_cast<std::int64_t>(number) * 1'000'000};
}

std::int64_t until_multiple(std::int64_t duration_us, std::int64_t now_us, std::int64_t offset_us) {
    constexpr std::int64_t day_us = 86'400'000'000, shortest_us = 1'000'000;
    const std::int64_t of_day = (now_us + offset_us) % day_us;
    // Files longer than a day are counted from the epoch, for no midnight fits them.
    const std::int64_t since = duration_us > day_us ? (now_us + offset_us) % duration_us : of_day % duration_us;
    std::int64_t left = duration_us - since;
    if (duration_us <= day_us) left = std::min(left, day_us - of_day);  // the day's last file may be short
    return left < std::min(shortest_us, duration_us / 2) ? left + duration_us : left;
}

std::int64_t until_multiple(std::int64_t duration_us, std::int64_t age_us) {
    const auto begin = std::chrono::system_clock::now() - std::chrono::microseconds(age_us);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(begin);
    std::tm here{};
    ::localtime_r(&seconds, &here);
    const auto begin_us = std::chrono::duration_cast<std::chrono::microseconds>(begin.time_since_epoch()).count();
    return until_multiple(duration_us, begin_us, here.tm_gmtoff * std::int64_t{1'000'000});
}

}  // namespace tapedeck::host
