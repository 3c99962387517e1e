// Decoding times of pictures that come with presentation times alone, as RTP sends them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tapedeck::rtp {

/// Times rise and none is above its picture's, as long as the depth is right: the n-th picture to be decoded gets the
/// time of the n-th to be shown, `depth` pictures earlier. Ticks of 90 kHz. One track, one thread.
class DecodeTimes {
public:
    /// How many pictures may come before one that is shown before them (max_num_reorder_frames). Where a stream turns
    /// out to do more, this rises by itself.
    void depth(std::size_t pictures) { depth_ = std::min(pictures, deepest); }
    std::size_t depth() const { return depth_; }

    /// For each picture, as they come.
    std::int64_t operator()(std::int64_t pts) {
        if (!times_.empty() && (pts > times_.back() + jump || pts < times_.front() - jump)) times_.clear();
        if (!times_.empty() && pts < times_.front() && times_.size() > depth_ && depth_ < deepest) ++depth_;
        times_.insert(std::upper_bound(times_.begin(), times_.end(), pts), pts);
        if (times_.size() > depth_ + 1) times_.erase(times_.begin());
        const auto missing = static_cast<std::int64_t>(depth_ + 1 - times_.size());
        return std::min(times_.front() - missing * guessed_step, pts);
    }

private:
    static constexpr std::size_t deepest = 16;
    static constexpr std::int64_t jump = 10 * 90'000, guessed_step = 3'600;

    std::size_t depth_ = 0;
    std::vector<std::int64_t> times_;  // the latest, sorted; at most depth_ + 1
};

}  // namespace tapedeck::rtp
