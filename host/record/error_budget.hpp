// When errors become too many (R64).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace tapedeck::host {

/// Not thread-safe; lives with its recorder. Time is a parameter.
class ErrorBudget {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// One more error at `now`. True when the recording must stop: `most` errors within `interval`.
    bool spend(TimePoint now, std::size_t most, std::chrono::microseconds interval) {
        errors_.push_back(now);
        while (errors_.front() < now - interval) errors_.pop_front();
        return errors_.size() >= most;
    }

private:
    std::deque<TimePoint> errors_;
};

}  // namespace tapedeck::host
