#include "faults.hpp"

#include <algorithm>
#include <utility>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::file_source {

std::vector<Outgoing> Faults::pass(Unit unit, td_rational time_base) {
    if (lanes_.size() <= unit.track) lanes_.resize(unit.track + 1);
    Lane& lane = lanes_[unit.track];
    std::chrono::microseconds due(to_us(unit.dts, time_base));
    std::int64_t shift = 0;
    const auto at = due;
    const bool is_late = plan_.is_late(unit.video) && !lane.begun;
    if (is_late && (at < (unit.video ? plan_.video_from : plan_.audio_from) || !unit.key)) return {};
    if (plan_.pause_at.count() >= 0 && at >= plan_.pause_at) {
        due += plan_.pause_for;
        shift += to_ticks(plan_.pause_for.count(), time_base);
    }
    if (plan_.jump_at.count() >= 0 && at >= plan_.jump_at) shift += to_ticks(plan_.jump_by.count(), time_base);
    unit.dts += shift;
    unit.pts += shift;
    if (happens(plan_.loss)) {
        lane.lost = true;
        return {};
    }
    if (unit.video && happens(plan_.corrupt)) {
        std::fill_n(unit.payload.begin(), std::min<std::size_t>(unit.payload.size(), 4), std::uint8_t{0xff});
    }
    Outgoing out{std::move(unit), std::exchange(lane.lost, false), is_late, due};
    lane.begun = true;
    std::vector<Outgoing> now;
    if (!held_ && happens(plan_.reorder)) {
        held_ = std::move(out);
        return now;
    }
    now.push_back(std::move(out));
    if (held_) now.push_back(*std::exchange(held_, std::nullopt));
    return now;
}

std::vector<Outgoing> Faults::finish() {
    std::vector<Outgoing> rest;
    if (held_) rest.push_back(*std::exchange(held_, std::nullopt));
    return rest;
}

}  // namespace tapedeck::file_source
