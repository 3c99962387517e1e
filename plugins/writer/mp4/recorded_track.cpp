#include "recorded_track.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "pictures.hpp"
#include "silence.hpp"

namespace tapedeck::mp4 {

RecordedTrack::RecordedTrack(const td_host* host, const td_track& track, std::uint32_t id, bool enabled)
    : host_(host),
      index_(track.index),
      codec_(track.codec),
      time_base_(track.time_base),
      head_(make_head(track, id, enabled)),
      timeline_(track.time_base, head_.timescale, head_.frame) {
    if (!head_.video) silence_ = silent_frame({track.config.data, track.config.size});
}

bool RecordedTrack::is_current(const td_track& track) const {
    return track.codec == codec_ && std::ranges::equal(make_entry(track), head_.entries[description_ - 1]);
}

void RecordedTrack::change(const td_track& track) {
    const bool same_time = track.time_base.num == time_base_.num && track.time_base.den == time_base_.den;
    if (!head_.video || track.codec != codec_ || !same_time)
        throw Error(TD_UNSUPPORTED, "track " + std::to_string(index_) +
                                        ": only the decoder setup of pictures may change within an MP4 file");
    new_entry_ = make_entry(track);
    parameter_sets_ = parameter_sets(track);
    description_ = head_.add_entry(new_entry_);
}

void RecordedTrack::add(const td_packet& packet) {
    const Timeline::Stamp stamp = timeline_.place(packet);
    if (!started_) add_silence(stamp.decode);
    started_ = true;
    Sample sample;
    sample.key = !head_.video || (packet.flags & TD_PACKET_KEY) != 0;
    sample.composition = stamp.composition;
    add_payload(packet, sample);
    if (references_.empty() || references_.back() != packet.buffer) {  // packets of one read share it
        host_->buffer_ref(packet.buffer);
        references_.push_back(packet.buffer);
    }
    samples_.push_back(sample);
    decode_.push_back(stamp.decode);
    bytes_ += sample.size;
    end_ = stamp.end;
}

// Behind a pause before the sound some players stay silent after each seek; behind silence they do not. A short pause
// does no harm, and for a very long one the frames would be too many.
void RecordedTrack::add_silence(std::int64_t until) {
    const std::int64_t second = head_.timescale;
    if (silence_.empty() || until < second * 3 / 10 || until > second * 600) return;
    for (std::int64_t at = until % head_.frame; at < until; at += head_.frame) {
        Sample sample;
        sample.size = static_cast<std::uint32_t>(silence_.size());
        sample.key = true;
        samples_.push_back(sample);
        decode_.push_back(at);
        payload_.push_back({silence_.data(), silence_.size()});
        bytes_ += sample.size;
    }
}

void RecordedTrack::add_payload(const td_packet& packet, Sample& sample) {
    const View whole = sample_of(codec_, {packet.data, packet.data_size});
    sample.size = static_cast<std::uint32_t>(whole.size());
    const auto place =
        sample.key && !parameter_sets_.empty() ? parameter_sets_place(codec_, whole) : std::optional<std::size_t>{};
    if (!place) {
        payload_.push_back({whole.data(), whole.size()});
        return;
    }
    if (*place != 0) payload_.push_back({whole.data(), *place});
    payload_.push_back({parameter_sets_.data(), parameter_sets_.size()});
    payload_.push_back({whole.data() + *place, whole.size() - *place});
    sample.size += static_cast<std::uint32_t>(parameter_sets_.size());
}

void RecordedTrack::settle() {
    if (empty()) return;
    const std::int64_t shown = decode_.front() + samples_.front().composition;
    if (head_.video && shown > 0 && is_in_file()) decode_.front() -= shown;
    head_.media_time = std::max<std::int64_t>(0, -decode_.front());
}

void RecordedTrack::close() {
    if (empty()) return;
    const auto duration = [](std::int64_t from, std::int64_t to) {
        return static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(to - from, 0, std::numeric_limits<std::uint32_t>::max()));
    };
    for (std::size_t i = 0; i + 1 < samples_.size(); ++i) samples_[i].duration = duration(decode_[i], decode_[i + 1]);
    samples_.back().duration = duration(decode_.back(), end_);
}

TrackRun RecordedTrack::take(std::int64_t end_us, std::vector<td_bytes>& payload) {
    const std::int64_t end = to_ticks(end_us, {1, static_cast<std::int32_t>(head_.timescale)});
    TrackRun run;
    run.track = &head_;
    const std::size_t first = taken_;
    for (std::uint64_t due = 0; taken_ < samples_.size() && decode_[taken_] < end; ++taken_)
        for (due += samples_[taken_].size; due != 0; ++taken_payload_) {
            payload.push_back(payload_[taken_payload_]);
            due -= payload_[taken_payload_].size;
        }
    if (taken_ == first) return run;
    run.decode_time = decode_[first] + head_.media_time;
    run.samples = std::span(samples_).subspan(first, taken_ - first);
    return run;
}

void RecordedTrack::written() {
    new_entry_.clear();
    entries_in_file_ = head_.entries.size();
}

TrackHead RecordedTrack::head_in_file() const {
    TrackHead head = head_;
    head.entries.resize(entries_in_file_);
    return head;
}

void RecordedTrack::clear() {
    for (td_buffer* buffer : references_) host_->buffer_unref(buffer);
    references_.clear();
    samples_.clear();
    decode_.clear();
    payload_.clear();
    bytes_ = 0;
    taken_ = taken_payload_ = 0;
}

}  // namespace tapedeck::mp4
