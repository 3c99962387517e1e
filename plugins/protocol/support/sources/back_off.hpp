// How long to wait before a source that cannot be had is tried again.
#pragma once

#include <algorithm>
#include <chrono>

namespace tapedeck::sources {

/// A second, then twice as long each time, at most `longest`.
class BackOff {
public:
    explicit BackOff(std::chrono::microseconds longest) : longest_(longest) {}

    std::chrono::microseconds next() {
        const auto pause = std::min(next_, longest_);
        next_ = std::min(next_ * 2, longest_);
        return pause;
    }
    /// The source was there.
    void reset() { next_ = first; }

private:
    static constexpr std::chrono::microseconds first = std::chrono::seconds(1);
    std::chrono::microseconds longest_, next_ = first;
};

}  // namespace tapedeck::sources
