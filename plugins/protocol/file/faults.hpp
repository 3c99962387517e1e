// What goes wrong on the way from a camera, made to order and the same each time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "demuxer.hpp"

namespace tapedeck::file_source {

/// Shares are of all packets, 0 to 1. Times are on the published line.
struct FaultPlan {
    double loss = 0;     ///< packets that never come
    double reorder = 0;  ///< packets that come after their successor
    double corrupt = 0;  ///< of video: access units whose beginning is overwritten
    std::uint32_t seed = 1;
    std::chrono::microseconds jump_at{-1}, jump_by{};     ///< the clock of the source jumps; below 0: never
    std::chrono::microseconds pause_at{-1}, pause_for{};  ///< nothing comes for a while, and the clock goes on
    std::chrono::microseconds change_at{-1};              ///< H.264: the next key picture has other parameter sets
    /// Nothing comes, and nobody knows of the track, before; then video begins with a key picture.
    std::chrono::microseconds video_from{}, audio_from{};

    bool is_late(bool video) const { return (video ? video_from : audio_from).count() != 0; }
};

/// A unit on its way out.
struct Outgoing {
    Unit unit;
    bool gap = false;                 ///< a packet of its track is missing before it
    bool first = false;               ///< the first of a track that nobody knows of
    bool changed = false;             ///< its track has `other_parameters` from here on
    std::chrono::microseconds due{};  ///< when it comes, on the published line
};

/// Parameter sets that say another level and are as good for the same pictures. Throws Malformed.
std::vector<std::uint8_t> other_parameters(std::span<const std::uint8_t> avcc);

/// One stream's faults in the order of its packets. Not thread-safe.
class Faults {
public:
    explicit Faults(const FaultPlan& plan) : plan_(plan), random_(plan.seed) {}

    /// What comes now: none when the unit is lost or held back, two when one was held back before.
    std::vector<Outgoing> pass(Unit unit, td_rational time_base);
    /// What was held back at the end.
    std::vector<Outgoing> finish();

private:
    bool happens(double share) { return share > 0 && std::uniform_real_distribution<>(0, 1)(random_) < share; }

    const FaultPlan plan_;
    std::mt19937 random_;
    std::optional<Outgoing> held_;
    struct Lane {
        bool lost = false;  // the last packet was
        bool begun = false;
    };
    std::vector<Lane> lanes_;  // by track
    bool has_changed_ = false;
};

}  // namespace tapedeck::file_source
