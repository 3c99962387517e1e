#include "alignment.hpp"

#include <algorithm>

namespace tapedeck::audio {

Alignment::Step Alignment::place(std::int64_t belongs, std::int64_t stands, std::int64_t length, bool broken) {
    Step step;
    std::int64_t late = belongs + shift_ - stands;
    if (late < -rate_) {  // the source's clock started anew: its sound goes on where it is
        shift_ -= late;
        late = 0;
    }
    const std::int64_t limit = broken ? rate_ * 2 / 1000 : std::max(rate_ * 15 / 1000, length * 3 / 4);
    if (late > limit || late < -limit) {
        (late > 0 ? step.silence : step.skip) = late > 0 ? late : -late;
        sum_ = blocks_ = since_ = 0;
        return step;
    }
    sum_ += late;
    ++blocks_;
    since_ += length;
    if (since_ < rate_) return step;
    // Half of the mean deviation of the last second, so that jitter and the delay of this loop do no harm; nothing
    // below 1 ms, where the times of many sources are only so exact.
    const std::int64_t mean = sum_ / blocks_;
    sum_ = blocks_ = since_ = 0;
    if (mean < -rate_ / 1000 || mean > rate_ / 1000)
        step.stretch = static_cast<int>(std::clamp(mean / 2, -rate_ / 150, rate_ / 150));
    return step;
}

}  // namespace tapedeck::audio
