// When a recording goes on in a new file.
#pragma once

#include <cstdint>
#include <string_view>

namespace tapedeck::host {

/// When to start the next file (R25). Nothing set: one file.
struct Rotation {
    std::int64_t duration_us = 0;
    std::uint64_t bytes = 0;
    bool is_on() const { return duration_us != 0 || bytes != 0; }
};
/// `20` (seconds), `10M`, empty, `0`, `disabled`. Throws Error(TD_MALFORMED).
Rotation parse_rotation(std::string_view text);

/// How long a file is that begins at `now_us` (server clock, UNIX) and ends at a multiple of `duration_us`, counted
/// from midnight of a place `offset_us` east of UTC. A rest of less than a second goes to the file before it.
std::int64_t until_multiple(std::int64_t duration_us, std::int64_t now_us, std::int64_t offset_us);
/// The same here, for a file that began `age_us` ago.
std::int64_t until_multiple(std::int64_t duration_us, std::int64_t age_us);

}  // namespace tapedeck::host
