// Puts a stream that came back on the time line and the tracks of the recording that it goes on with.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "stream/by_track.hpp"
#include "stream/packet.hpp"

namespace tapedeck::host {

/// One for all returns of a recording. Tracks that are the same as before are the same object, so that neither writer
/// nor transform sees a change; no packet refers to memory of the stream afterwards. Not thread-safe; lives on its
/// recorder.
class ReturnedStream {
public:
    /// The recording has these tracks so far; they outlive this object.
    void know(const TrackSpec* spec);
    /// The stream is gone.
    void leave() { current_.clear(); }
    /// The next one begins at `start_us` of the recording: with its earliest packet.
    void begin(std::int64_t start_us);

    /// The packets that came together, each to its place.
    void place(std::span<Packet> batch);
    /// The recording's own track for one of the stream.
    const TrackSpec* own(const TrackSpec* theirs);

private:
    std::int64_t start_us_ = 0;
    std::optional<std::int64_t> shift_us_;  // once the first packets are there
    std::vector<const TrackSpec*> known_;
    std::deque<TrackSpec> specs_;                                     // those of them that came with a return
    ByTrack<std::pair<const TrackSpec*, const TrackSpec*>> current_;  // theirs, ours
};

}  // namespace tapedeck::host
