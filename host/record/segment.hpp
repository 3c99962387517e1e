// One file of a recording while it is written.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "record/interleaver.hpp"
#include "store/delivery.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

struct Extension;
class Writer;

/// Not thread-safe; lives on its recorder. What is neither finished nor discarded is finished by the recovery.
class Segment {
public:
    /// Opens the file. `origin_us` is the stream's time that becomes 0 in the file. `facts` needs the stream, the
    /// segment's number and the options. Throws Error, TD_NO_SPACE among others.
    Segment(Delivery& delivery, const Extension& writer, const std::vector<const TrackSpec*>& tracks, Recording facts,
            std::int64_t origin_us);
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    /// Whether packets of this track are written.
    bool has(std::uint32_t track) const { return tracks_.contains(track); }
    /// What the writer was last told of it.
    const TrackSpec* spec(std::uint32_t track) const { return tracks_.at(track); }
    /// A track that came late. False: the writer cannot take it into this file any more. Throws Error when the track
    /// cannot be written at all.
    bool join(const TrackSpec* spec);
    /// New parameters of a track. False: the writer cannot go on in this file.
    bool change(const TrackSpec* spec);

    /// Throws Error when the packet was not taken.
    void write(const Interleaver::Timed& timed);
    /// All packets so far go to the file. Throws Error; then those since the last flush are lost.
    void flush();

    /// Hands the file over to be named, finished and announced; discards it when nothing was written, and then answers
    /// with an empty name.
    void finish(Delivery::Released released);

    bool is_empty() const { return packets_ == 0; }
    std::int64_t duration_us() const { return end_us_ - origin_us_; }
    /// The file's length after the last flush, a reserve in it included, and what was written since.
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t device() const;
    /// The file's name as far as it is known (R81).
    const std::string& name() const { return open_.name; }
    /// The facts as they are now.
    const Recording& facts() const { return facts_; }

private:
    void note(const TrackSpec* spec);

    Delivery& delivery_;
    Recording facts_;
    const std::int64_t origin_us_;
    std::int64_t end_us_;
    std::uint64_t packets_ = 0, bytes_ = 0;
    bool has_wallclock_ = false;
    std::map<std::uint32_t, const TrackSpec*> tracks_;
    OpenFile open_;
    std::unique_ptr<Writer> writer_;  // after the file: it goes first
};

}  // namespace tapedeck::host
