// One track while it is recorded: the samples of the next fragment, with references to their payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fragment.hpp"
#include "sample_table.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/ticks.hpp"
#include "timeline.hpp"
#include "tracks.hpp"

namespace tapedeck::mp4 {

/// Keeps a reference to each payload until `clear`. Its vectors keep their room, so a
/// packet costs no allocation once the first fragments are through.
class RecordedTrack {
public:
    /// Throws Error as `make_head`.
    RecordedTrack(const td_host* host, const td_track& track, std::uint32_t id, bool enabled);
    ~RecordedTrack() { clear(); }
    RecordedTrack(const RecordedTrack&) = delete;
    RecordedTrack& operator=(const RecordedTrack&) = delete;

    std::uint32_t index() const { return index_; }
    const TrackHead& head() const { return head_; }
    /// Whether players choose it.
    void enable(bool enabled) { head_.enabled = enabled; }

    /// Whether these parameters are what the track has now.
    bool is_current(const td_track& track) const;
    /// New parameters from the next packet on; nothing may be pending. Throws Error, TD_UNSUPPORTED for what cannot go
    /// on in this file.
    void change(const td_track& track);

    void add(const td_packet& packet);
    bool empty() const { return samples_.empty(); }
    std::size_t count() const { return samples_.size(); }
    std::uint64_t bytes() const { return bytes_; }

    /// The init moov is written: the head goes into a box of its own, before the first samples.
    void join() { entries_in_file_ = 0; }
    bool is_in_file() const { return entries_in_file_ != 0; }

    /// Before the head is written: a first picture of the init moov's tracks that is shown after 0 is shown from 0 on,
    /// and what lies before 0 gets room on the track's own time line.
    void settle();
    /// Fills in the durations of the pending samples: no more come before `clear`.
    void close();
    /// Whether all pending samples were taken.
    bool is_taken() const { return taken_ == samples_.size(); }
    /// When the first sample that was not taken is decoded, and the last one, in microseconds; not when all are taken.
    std::int64_t next_us() const { return to_us(decode_[taken_], {1, static_cast<std::int32_t>(head_.timescale)}); }
    std::int64_t last_us() const { return to_us(decode_.back(), {1, static_cast<std::int32_t>(head_.timescale)}); }
    /// Takes what is decoded before `end_us`, which may be nothing, and appends its payload.
    TrackRun take(std::int64_t end_us, std::vector<td_bytes>& payload);

    /// An entry that the file does not have yet, to be written before the pending samples; empty: none.
    const Bytes& new_entry() const { return new_entry_; }
    std::uint32_t description() const { return description_; }
    /// The pending samples are in the file, and the new entry.
    void written();
    /// The head as the file has it: without an entry that no sample in it uses yet.
    TrackHead head_in_file() const;
    /// Gives up all references.
    void clear();

private:
    void add_silence(std::int64_t until);
    void add_payload(const td_packet& packet, Sample& sample);

    const td_host* host_;
    std::uint32_t index_, codec_;
    td_rational time_base_;
    TrackHead head_;
    Timeline timeline_;
    std::uint32_t description_ = 1;
    std::size_t entries_in_file_ = 1;  // 0: nor is the head
    Bytes new_entry_;
    Bytes silence_;         // a frame of it, for sound that begins late; empty: none is known
    Bytes parameter_sets_;  // in every key picture from the first change on

    bool started_ = false;

    std::vector<Sample> samples_;
    std::vector<std::int64_t> decode_;
    std::vector<td_bytes> payload_;
    std::vector<td_buffer*> references_;  // each holds some of `payload_`
    std::uint64_t bytes_ = 0;
    std::size_t taken_ = 0, taken_payload_ = 0;  // so much of `samples_` and of `payload_`
    std::int64_t end_ = 0;
};

}  // namespace tapedeck::mp4
