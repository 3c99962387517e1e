#include "faults.hpp"

#include <algorithm>
#include <utility>

#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::file_source {

std::vector<std::uint8_t> other_parameters(std::span<const std::uint8_t> avcc) {
    constexpr std::size_t level_at = 3;  // behind header, profile and constraints
    constexpr std::uint8_t level = 51, other_level = 52;
    const h264::AvcConfig config = h264::parse_avcc(avcc);
    std::vector<std::vector<std::uint8_t>> changed;
    for (const ByteSpan sps : config.sps) {
        std::vector<std::uint8_t>& copy = changed.emplace_back(sps.begin(), sps.end());
        if (copy.size() <= level_at) throw Malformed("the SPS ends before its level");
        copy[level_at] = copy[level_at] == level ? other_level : level;
    }
    const std::vector<ByteSpan> sets(changed.begin(), changed.end());
    return h264::build_avcc(sets, config.pps);
}

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
    Outgoing out{.unit = std::move(unit), .gap = std::exchange(lane.lost, false), .first = is_late, .due = due};
    lane.begun = true;
    if (plan_.change_at.count() >= 0 && at >= plan_.change_at && out.unit.video && out.unit.key) {
        out.changed = !std::exchange(has_changed_, true);
    }
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
