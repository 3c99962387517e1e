#include "record/interleaver.hpp"

#include <algorithm>
#include <cstdlib>

#include "tapedeck/media/aac.hpp"

namespace tapedeck::host {
namespace {

constexpr std::int64_t lag_us = 300'000;
constexpr std::int64_t grid_tolerance_us = 10'000;  ///< more than rounding and jitter of a sender's clock
constexpr std::int64_t gap_us = 1'000'000;
constexpr std::int64_t shown_us = 2'000'000;  ///< a message

}  // namespace

Grid grid_of(const TrackSpec& track) {
    if (track.track.codec == TD_CODEC_AAC && !track.config.empty()) {
        try {
            const aac::Config config = aac::parse_config(track.config);
            if (config.sample_rate != 0) {
                return {{1, static_cast<std::int32_t>(config.sample_rate)}, config.samples_per_frame};
            }
        } catch (const std::exception&) {
            // A config that cannot be read leaves the source's own times; the writer says what is wrong with it.
        }
    }
    return {track.track.time_base};
}

td_track track_on_grid(const TrackSpec& track) {
    td_track placed = track.track;
    placed.time_base = grid_of(track).time_base;
    return placed;
}

void Interleaver::adopt(Lane& lane, const TrackSpec* spec) {
    if (lane.spec == spec) return;
    const Grid grid = grid_of(*spec);
    const bool same = grid.time_base.num == lane.grid.time_base.num && grid.time_base.den == lane.grid.time_base.den;
    if (lane.spec != nullptr && !same) {
        if (!lane.waiting.empty()) settle(lane, lane.waiting.back().packet.view.dts + lane.last_duration);
        lane.started = false;
    }
    lane.spec = spec;
    lane.grid = grid;
}

void Interleaver::settle(Lane& lane, std::int64_t next_dts) {
    if (lane.waiting.empty()) return;
    Timed& last = lane.waiting.back();
    if (last.packet.view.duration != TD_NO_TIME) return;
    last.packet.view.duration = std::max<std::int64_t>(next_dts - last.packet.view.dts, 1);
    last.duration_us = to_us(last.packet.view.duration, lane.grid.time_base);
    lane.last_duration = last.packet.view.duration;
}

void Interleaver::push(Packet packet) {
    Lane& lane = lanes_[packet.view.track];
    adopt(lane, packet.spec);
    const bool flagged = (packet.view.flags & TD_PACKET_DISCONTINUITY) != 0;
    if (lane.grid.frame_ticks != 0) {
        std::int64_t dts = to_ticks(packet.pts_us(), lane.grid.time_base);
        const std::int64_t tolerance = to_ticks(grid_tolerance_us, lane.grid.time_base);
        if (lane.started && std::abs(dts - lane.next_dts) <= tolerance) dts = lane.next_dts;
        if (lane.started) dts = std::max(dts, lane.next_dts - lane.grid.frame_ticks + 1);
        packet.view.dts = packet.view.pts = dts;
        lane.next_dts = dts + lane.grid.frame_ticks;
    }
    settle(lane, packet.view.dts);
    lane.started = true;

    const std::int64_t pts_us = to_us(packet.view.pts, lane.grid.time_base);
    if (packet.is_video_key()) reorder_us_ = pts_us - to_us(packet.view.dts, lane.grid.time_base);
    const std::int64_t order_us =
        packet.is_video() ? to_us(packet.view.dts, lane.grid.time_base) + reorder_us_ : pts_us;
    newest_us_ = std::max(newest_us_, order_us);
    packet.view.duration = packet.is_data() ? to_ticks(shown_us, lane.grid.time_base) : TD_NO_TIME;
    const bool gap = flagged || (!lane.waiting.empty() && order_us - lane.waiting.back().order_us > gap_us);
    lane.waiting.push_back({std::move(packet), lane.grid.time_base, order_us, pts_us, 0, gap});
}

Interleaver::Lane* Interleaver::earliest() {
    Lane* first = nullptr;
    for (auto& [index, lane] : lanes_) {
        if (lane.waiting.empty()) continue;
        const Timed& front = lane.waiting.front();
        const bool complete = front.packet.view.duration != TD_NO_TIME;
        if (!complete && newest_us_ - front.order_us > lag_us) continue;  // it lags: do not wait for it
        if (first == nullptr || front.order_us < first->waiting.front().order_us) first = &lane;
    }
    return first;
}

void Interleaver::drain(std::vector<Timed>& into) {
    for (;;) {
        Lane* lane = earliest();
        if (lane == nullptr || lane->waiting.front().packet.view.duration == TD_NO_TIME) return;
        into.push_back(lane->waiting.pop_front());
    }
}

void Interleaver::finish(std::vector<Timed>& into) {
    for (auto& [index, lane] : lanes_) {
        if (lane.waiting.empty()) continue;
        const std::int64_t step = lane.grid.frame_ticks != 0 ? lane.grid.frame_ticks
                                  : lane.last_duration != 0  ? lane.last_duration
                                                             : to_ticks(40'000, lane.grid.time_base);
        settle(lane, lane.waiting.back().packet.view.dts + step);
    }
    drain(into);
    lanes_.clear();
    newest_us_ = TD_NO_TIME;
}

}  // namespace tapedeck::host
