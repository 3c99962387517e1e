#include "record/segment.hpp"

#include <algorithm>
#include <chrono>

#include "plugin/writer.hpp"
#include "record/formats.hpp"

namespace tapedeck::host {
namespace {

std::int64_t server_clock_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Segment::Segment(Delivery& delivery, const Extension& writer, const std::vector<const TrackSpec*>& specs,
                 Recording facts, std::int64_t origin_us)
    : delivery_(delivery), facts_(std::move(facts)), origin_us_(origin_us), end_us_(origin_us) {
    const WriterFacts writer_facts(writer);
    facts_.writer = writer.id;
    facts_.extension = writer_facts.extension;
    facts_.start_us = server_clock_us();
    facts_.media_start_us = origin_us;
    std::vector<td_track> tracks;
    for (const TrackSpec* spec : specs) {
        note(spec);
        tracks.push_back(track_on_grid(*spec));
    }
    std::vector<const td_track*> pointers;
    pointers.reserve(tracks.size());
    for (const td_track& track : tracks) pointers.push_back(&track);

    open_ = delivery_.open(facts_);
    try {
        writer_ = std::make_unique<Writer>(writer);
        writer_->open(*open_.file, facts_.abi(), pointers);
    } catch (...) {
        writer_.reset();
        delivery_.discard(open_.row, std::move(open_.file));
        throw;
    }
}

Segment::~Segment() = default;

void Segment::note(const TrackSpec* spec) {
    tracks_[spec->track.index] = spec;
    if (spec->track.kind == TD_DATA) return;
    std::string& codec = spec->track.kind == TD_VIDEO ? facts_.video_codec : facts_.audio_codec;
    if (codec.empty()) codec = codec_name(spec->track.codec);
}

bool Segment::join(const TrackSpec* spec) {
    if (!writer_->track(track_on_grid(*spec))) return false;
    note(spec);
    return true;
}

bool Segment::change(const TrackSpec* spec) {
    const td_track track = track_on_grid(*spec);
    const td_rational before = grid_of(*tracks_.at(spec->track.index)).time_base;
    if (track.codec != tracks_.at(spec->track.index)->track.codec || before.num != track.time_base.num ||
        before.den != track.time_base.den || !writer_->track(track)) {
        return false;
    }
    tracks_[spec->track.index] = spec;
    return true;
}

void Segment::write(const Interleaver::Timed& timed) {
    td_packet packet = timed.packet.view;
    const std::int64_t origin = to_ticks(origin_us_, timed.time_base);
    packet.dts -= origin;
    packet.pts -= origin;
    writer_->write(packet);
    bytes_ += packet.data_size;
    if (!has_wallclock_ && packet.wallclock_us != TD_NO_TIME) {
        has_wallclock_ = true;  // of RTP, not before the first sender report
        facts_.media_start_us = packet.wallclock_us - (timed.pts_us - origin_us_);
    }
    ++packets_;
    end_us_ = std::max(end_us_, timed.pts_us + timed.duration_us);
}

void Segment::flush() {
    writer_->flush();
    bytes_ = open_.file->length();
}

void Segment::finish(Delivery::Released released) {
    if (is_empty()) {
        writer_.reset();
        delivery_.discard(open_.row, std::move(open_.file));
        released({});
        return;
    }
    facts_.end_us = server_clock_us();
    facts_.duration_us = end_us_ - origin_us_;
    facts_.media_end_us = facts_.media_start_us + facts_.duration_us;
    facts_.bytes = bytes_;
    facts_.flags |= TD_RECORDING_FINAL;
    delivery_.finish(open_.row, std::move(facts_), std::move(writer_), std::move(open_.file), std::move(released));
}

std::uint64_t Segment::device() const {
    return open_.file == nullptr ? 0 : open_.file->device();
}

}  // namespace tapedeck::host
