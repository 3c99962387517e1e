#include "writer.hpp"

#include <algorithm>
#include <string>

#include "file_source.hpp"
#include "finaliser.hpp"
#include "fragment.hpp"
#include "private_boxes.hpp"
#include "scanner.hpp"

namespace tapedeck::mp4 {
namespace {

// A host that is late with `flush` gets its fragments all the same, before they grow out of bounds.
constexpr std::uint64_t most_pending_bytes = 32 << 20;
constexpr std::size_t most_pending_samples = 1 << 14;

}  // namespace

void Mp4Writer::take_settings(const td_recording& recording) {
    const Context settings = context_.with(recording.options);
    moov_first_ = settings.boolean(moov_first);
    const bool reserves = moov_first_ && settings.boolean(reserve);
    reserve_bytes_ = reserves ? static_cast<std::uint64_t>(settings.integer(reserve_size)) * 1024 : 0;
}

void Mp4Writer::open(File file, const td_recording& recording, std::span<const td_track* const> tracks) {
    take_settings(recording);
    file_ = file;
    const std::int64_t start = recording.start_us == TD_NO_TIME ? 0 : std::max<std::int64_t>(recording.start_us, 0);
    movie_.creation_time = mac_epoch + static_cast<std::uint64_t>(start / 1000000);
    movie_.memo = view(recording.memo);
    bool has_video = false, has_sound = false;
    for (const td_track* track : tracks) {
        bool& has = track->kind == TD_VIDEO ? has_video : has_sound;
        const auto number = static_cast<std::uint32_t>(recorded_.size() + 1);
        recorded_.push_back(std::make_unique<RecordedTrack>(context_.host(), *track, number, !has));
        has = true;
    }
    if (recorded_.empty()) throw Error(TD_UNSUPPORTED, "an MP4 file needs at least one track");
    tables_.resize(recorded_.size());
}

RecordedTrack* Mp4Writer::find(std::uint32_t index) {
    for (const auto& track : recorded_)
        if (track->index() == index) return track.get();
    return nullptr;
}

void Mp4Writer::track(const td_track& track) {
    RecordedTrack* known = find(track.index);
    if (known == nullptr)
        throw Error(TD_UNSUPPORTED, "track " + std::to_string(track.index) + " came after the MP4 file was begun");
    if (known->is_current(track)) return;
    try {
        flush();
    } catch (const Error&) {
        known->change(track);  // what was pending is lost, what follows is not
        throw;
    }
    known->change(track);
}

void Mp4Writer::write(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) track(*packet.changed);
    RecordedTrack* known = find(packet.track);
    if (known == nullptr) throw Error(TD_MALFORMED, "a packet of unknown track " + std::to_string(packet.track));
    if (packet.data_size == 0) throw Error(TD_MALFORMED, "an empty packet of track " + std::to_string(packet.track));
    if (known->bytes() + packet.data_size > most_pending_bytes || known->count() >= most_pending_samples) flush();
    known->add(packet);
}

void Mp4Writer::flush() {
    if (std::ranges::all_of(recorded_, [](const auto& track) { return track->empty(); })) return;
    // Whatever happens, these packets are not tried again: what fails is lost, the next fragment takes its place.
    struct Clear {
        std::vector<std::unique_ptr<RecordedTrack>>& tracks;
        ~Clear() {
            for (const auto& track : tracks) track->clear();
        }
    } clear{recorded_};
    if (!layout_) write_head();
    write_fragment();
}

void Mp4Writer::write_head() {
    for (const auto& track : recorded_) {
        track->settle();
        movie_.tracks.push_back(track->head());
    }
    Bytes head = file_type();
    const Bytes init = init_moov(movie_);
    movie_.tracks.clear();
    const Layout layout = Layout::plan(init.size(), reserve_bytes_);
    BoxWriter writer(head);
    writer.bytes(init);
    writer.u32(static_cast<std::uint32_t>(layout.room()));
    writer.u32(fourcc("free"));
    file_.write(0, std::array{td_bytes{head.data(), head.size()}});
    layout_ = layout;
}

void Mp4Writer::write_fragment() {
    boxes_.clear();
    BoxWriter writer(boxes_);
    const bool first = layout_->data_size == 0;
    if (first) writer.bytes(Layout::marker);
    std::vector<TrackRun> runs;
    for (const auto& track : recorded_) {
        if (track->empty()) continue;
        if (!track->new_entry().empty()) write_new_entry(writer, track->head().id, track->new_entry());
        TrackRun run;
        run.track = &track->head();
        run.samples = track->samples();
        run.decode_time = track->decode_time();
        runs.push_back(run);
    }
    append_fragment(boxes_, fragments_ + 1, runs);

    spans_.assign(1, {boxes_.data(), boxes_.size()});
    std::uint64_t size = boxes_.size();
    for (const auto& track : recorded_) {
        spans_.insert(spans_.end(), track->payload().begin(), track->payload().end());
        size += track->bytes();
    }
    file_.write(first ? layout_->marker_at() : layout_->end(), spans_);

    ++fragments_;
    std::uint64_t position = layout_->data_size + boxes_.size() - (first ? Layout::marker_size : 0);
    for (std::size_t i = 0; i < recorded_.size(); ++i) {
        RecordedTrack& track = *recorded_[i];
        if (track.empty()) continue;
        Run run;
        run.position = position;
        run.decode_time = track.decode_time();
        run.description = track.description();
        tables_[i].append(run, track.samples());
        track.written();
        position += track.bytes();
    }
    layout_->data_size += size - (first ? Layout::marker_size : 0);
}

void Mp4Writer::finish() {
    flush();
    if (!layout_) return;
    Movie movie = movie_;
    for (const auto& track : recorded_) movie.tracks.push_back(track->head_in_file());
    Finaliser(file_, movie, tables_, *layout_).run(moov_first_);
}

void Mp4Writer::recover(File file, const td_recording& recording, Recovered& recovered) {
    take_settings(recording);
    file_ = file;
    auto found = scan(FileSource(file));
    if (!found || found->samples == 0) return;
    movie_ = std::move(found->movie);
    tables_ = std::move(found->tables);
    layout_ = found->layout;
    recovered.memo = movie_.memo;
    recovered.packets = found->samples;
    recovered.duration_us = shown_duration_us(movie_, tables_);
}

}  // namespace tapedeck::mp4
