// Whether a camera that plays sends what it should.
#pragma once

#include <string>

#include "reception.hpp"
#include "settings.hpp"

namespace tapedeck::rtsp {

/// Of one connection, since it plays. Times are microseconds of the steady clock. One thread.
class Health {
public:
    Health(const Settings& settings, std::int64_t playing_us) : settings_(settings), playing_us_(playing_us) {}

    /// Throws Error when nothing came for the time of the setting `timeout`.
    void check(std::int64_t last_media_us, std::int64_t now_us) const;
    /// What is missing, in words; empty: nothing is.
    std::string problem(const Reception& reception, std::int64_t now_us) const;
    /// How often its clock jumped since this was last asked; told once a second at most, and 0 meanwhile.
    std::uint64_t new_jumps(const Reception::Facts& facts, std::int64_t now_us);

private:
    Settings settings_;
    std::int64_t playing_us_;
    std::uint64_t jumps_told_ = 0;
    std::int64_t jump_told_us_ = 0;
};

/// To the nearest second, with its unit.
std::string in_seconds(std::int64_t us);

}  // namespace tapedeck::rtsp
