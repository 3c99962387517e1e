// One time line for the tracks of one sender, each of which counts its timestamps from a number of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "tapedeck/abi.h"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtp {

/// A track begins where its first packet arrived. Sound then keeps its own pace. Pictures are drawn to where the
/// sender's clock has them beside the sound (RFC 3550 section 6.4.1), by a tenth of the time that passes, so that they
/// keep their order and nobody sees it. The first sound is what others follow. One thread.
class Timeline {
public:
    struct Stamp {
        std::int64_t timestamp = 0;              ///< extended, ticks of `base`
        td_rational base{1, 1};                  ///< of the track, always the same
        std::int64_t wallclock_us = TD_NO_TIME;  ///< by the sender's reports
        std::int64_t now_us = 0;                 ///< of any steady clock
        bool is_sound = false;
    };

    /// The packet's time on the line, ticks of its track, about 0 for the first of all.
    std::int64_t place(std::uint32_t track, const Stamp& stamp) {
        if (!origin_us_) origin_us_ = stamp.now_us;
        const auto [found, is_new] = lines_.try_emplace(track);
        auto& line = found->second;
        if (is_new) line = {to_ticks(stamp.now_us - *origin_us_, stamp.base) - stamp.timestamp, stamp.timestamp};
        if (is_new && stamp.is_sound && !leader_) leader_ = track;
        if (stamp.wallclock_us != TD_NO_TIME) {
            if (leader_ == track)
                sender_zero_us_ = stamp.wallclock_us - to_us(stamp.timestamp + line.shift, stamp.base);
            else if (!stamp.is_sound && sender_zero_us_)
                draw(line, stamp);
        }
        line.drawn_to = std::max(line.drawn_to, stamp.timestamp);
        return stamp.timestamp + line.shift;
    }

    /// The track counts anew: its sender began again.
    void restart(std::uint32_t track) {
        lines_.erase(track);
        if (leader_ == track) leader_.reset();
    }

private:
    struct Line {
        std::int64_t shift = 0;     // from timestamps to the line, ticks
        std::int64_t drawn_to = 0;  // the last timestamp
    };

    /// Clocks that are further apart than this have nothing to do with each other.
    static constexpr std::int64_t strange_us = 3'000'000;

    void draw(Line& line, const Stamp& stamp) const {
        const auto off = to_ticks(stamp.wallclock_us - *sender_zero_us_, stamp.base) - stamp.timestamp - line.shift;
        const auto most = std::max<std::int64_t>(stamp.timestamp - line.drawn_to, 0) / 10;
        const auto strange = to_ticks(strange_us, stamp.base);
        if (off < strange && off > -strange) line.shift += std::clamp(off, -most, most);
    }

    std::map<std::uint32_t, Line> lines_;
    std::optional<std::uint32_t> leader_;
    std::optional<std::int64_t> origin_us_, sender_zero_us_;  // where the line has its 0: by arrival, by the sender
};

}  // namespace tapedeck::rtp
