// The time of day as the catalogue counts it.
#pragma once

#include <chrono>
#include <cstdint>

namespace tapedeck::host {

/// Microseconds since 1970, UTC.
inline std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace tapedeck::host
