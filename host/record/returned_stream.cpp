#include "record/returned_stream.hpp"

#include <algorithm>

namespace tapedeck::host {

void ReturnedStream::know(const TrackSpec* spec) {
    if (std::ranges::find(known_, spec) == known_.end()) known_.push_back(spec);
}

void ReturnedStream::begin(std::int64_t start_us) {
    start_us_ = start_us;
    shift_us_.reset();
}

const TrackSpec* ReturnedStream::own(const TrackSpec* theirs) {
    auto& [last, ours] = current_[theirs->track.index];
    if (last == theirs) return ours;
    const auto same = std::ranges::find_if(known_, [&](const TrackSpec* one) {
        return one->track.index == theirs->track.index && one->same_parameters(theirs->track);
    });
    if (same != known_.end()) {
        ours = *same;
    } else {
        ours = &specs_.emplace_back(theirs->track);
        know(ours);
    }
    last = theirs;
    return ours;
}

void ReturnedStream::place(std::span<Packet> batch) {
    if (batch.empty()) return;
    if (!shift_us_) {
        const auto first = std::ranges::min_element(batch, {}, [](const Packet& packet) { return packet.dts_us(); });
        shift_us_ = start_us_ - first->dts_us();
    }
    for (Packet& packet : batch) {
        packet.spec = own(packet.spec);
        const std::int64_t shift = to_ticks(*shift_us_, packet.spec->track.time_base);
        packet.view.dts += shift;
        packet.view.pts += shift;
    }
}

}  // namespace tapedeck::host
