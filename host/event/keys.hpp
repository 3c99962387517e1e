// Settings of the parts that call hooks.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key admission_timeout = Key::duration("admission_timeout", "5s")
                                             .about("How long a hook may think about a client; then it is refused")
                                             .reload();
inline constexpr Key hook_timeout =
    Key::duration("hook_timeout", "10min")
        .about("How long one call of a hook may take at most; a hook may have a shorter limit of its own")
        .reload();
inline constexpr Key hook_workers = Key::integer("hook_workers", "4")
                                        .about("Calls of one hook at a time, unless it has `workers` of its own")
                                        .within(1, 256);
inline constexpr Key hook_retry_delay =
    Key::duration("hook_retry_delay", "1s")
        .about("Pause before a hook is called again after a failure; doubles each time, at most 10 min")
        .within(1, 600'000'000)
        .reload();
inline constexpr Key hook_max_attempts = Key::integer("hook_max_attempts", "20")
                                             .about("Calls of a hook for one event before it is given up")
                                             .within(1, 1'000'000)
                                             .reload();

inline constexpr std::array<const td_key*, 5> event_keys{&admission_timeout, &hook_timeout, &hook_workers,
                                                         &hook_retry_delay, &hook_max_attempts};

}  // namespace tapedeck::host
