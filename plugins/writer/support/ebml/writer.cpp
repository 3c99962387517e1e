#include "writer.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "file_source.hpp"
#include "finaliser.hpp"
#include "scanner.hpp"

namespace tapedeck::ebml {
namespace {

// A block's time is a signed 16-bit number from its cluster's on.
constexpr std::int64_t longest_cluster = INT16_MAX;
constexpr std::int64_t earliest_time = INT16_MIN;
constexpr std::uint32_t largest_packet = 200u << 20;  // a cluster's size has 28 bits

std::string name_of(std::uint32_t track) {
    return "track " + std::to_string(track);
}

}  // namespace

MatroskaWriter::MatroskaWriter(Context context, const Format& format)
    : context_(context), format_(format), cluster_(context.host()) {}

void MatroskaWriter::open(File file, const td_recording& recording, std::span<const td_track* const> tracks) {
    const Context settings = context_.with(recording.options);
    longest_ = std::clamp<std::int64_t>(settings.duration(format_.cluster_duration).count() / 1000, 1, longest_cluster);
    largest_ = static_cast<std::uint64_t>(settings.integer(format_.cluster_size));
    reserve_ = static_cast<std::uint64_t>(settings.integer(format_.cues_reserve));
    file_ = file;
    head_.doc_type = format_.doc_type;
    head_.memo = view(recording.memo);
    if (recording.start_us != TD_NO_TIME) head_.start_us = recording.start_us;
    stream_ = view(recording.stream);
    for (const td_track* track : tracks) add_track(*track);
    if (tracks_.empty()) throw Error(TD_UNSUPPORTED, "a Matroska file needs at least one track");
}

void MatroskaWriter::add_track(const td_track& track) {
    const bool is_first = track.kind != TD_DATA && std::ranges::none_of(tracks_, [&](const auto& other) {
                              return other->head().kind == track.kind;
                          });
    tracks_.push_back(std::make_unique<RecordedTrack>(track, tracks_.size() + 1, is_first, stream_));
    tracks_changed_ = true;
}

RecordedTrack* MatroskaWriter::find(std::uint32_t index) {
    for (const auto& track : tracks_)
        if (track->index() == index) return track.get();
    return nullptr;
}

Bytes MatroskaWriter::entries() const {
    std::vector<TrackHead> heads;
    for (const auto& track : tracks_)
        if (track->is_described()) heads.push_back(track->head());
    return track_entries(heads);
}

/// With those of pictures whose size is not known yet.
std::uint64_t MatroskaWriter::wanted_slot() const {
    std::vector<TrackHead> heads;
    heads.reserve(tracks_.size());
    for (const auto& track : tracks_) heads.push_back(track->head());
    return tracks_slot(track_entries(heads).size());
}

void MatroskaWriter::track(const td_track& track) {
    RecordedTrack* known = find(track.index);
    if (known == nullptr) {
        add_track(track);
        if (!layout_ || wanted_slot() <= layout_->tracks_size) return;
        tracks_.pop_back();
        throw Error(TD_UNSUPPORTED, name_of(track.index) + ": the file has no room for its entry");
    }
    if (known->is_current(track)) return;
    try {
        flush();
    } catch (const Error&) {
        known->change(track);  // what was pending is lost, what follows is not
        throw;
    }
    known->change(track);
}

bool MatroskaWriter::is_full(const Block& block, std::uint64_t bytes) const {
    if (cluster_.empty()) return false;
    return (block.video && block.key) || cluster_.bytes() + bytes > largest_ ||
           cluster_.span_with(block.time) > longest_;
}

void MatroskaWriter::write(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) track(*packet.changed);
    RecordedTrack* known = find(packet.track);
    if (known == nullptr) throw Error(TD_MALFORMED, "a packet of unknown " + name_of(packet.track));
    if (packet.data_size > largest_packet)
        throw Error(TD_MALFORMED, name_of(packet.track) + ": a packet too large for a cluster");
    const bool was_described = known->is_described();
    const Block block = known->place(packet);
    if (!known->is_described())
        throw Error(TD_MALFORMED, name_of(packet.track) + ": the size of its pictures is not known");
    if (!was_described) tracks_changed_ = true;
    if (block.time < earliest_time)
        throw Error(TD_MALFORMED, name_of(packet.track) + ": a packet long before the file's start");
    if (is_full(block, packet.data_size)) flush();
    cluster_.add(block, known->payload(packet), packet.buffer);
}

void MatroskaWriter::flush() {
    if (cluster_.empty()) return;
    // Whatever happens, these packets are not tried again: what fails is lost, the next cluster takes its place.
    struct Clear {
        Cluster& cluster;
        ~Clear() { cluster.clear(); }
    } clear{cluster_};
    if (!layout_) {
        write_head();
    } else if (tracks_changed_) {
        const Bytes slot = tracks_bytes(*layout_, entries());
        file_.write(layout_->tracks_at(), std::array{td_bytes{slot.data(), slot.size()}});
    }
    tracks_changed_ = false;
    const ClusterFacts facts = cluster_.lay_out(layout_->data_size, spans_);
    file_.write(layout_->end(), spans_);
    for (const td_bytes& span : spans_) layout_->data_size += span.size;
    index_.add(facts);
}

void MatroskaWriter::write_head() {
    const Bytes content = entries();
    const std::uint64_t slot = std::max<std::uint64_t>(Layout::least_tracks_slot, 2 * wanted_slot());
    const Layout layout = Layout::plan(ebml_header(head_.doc_type).size(), head_.memo.size(), slot, reserve_);
    const Bytes head = file_head(head_, layout, content);
    file_.write(0, std::array{td_bytes{head.data(), head.size()}});
    layout_ = layout;
}

void MatroskaWriter::finish() {
    flush();
    if (layout_) Finaliser(file_, index_, *layout_).run();
}

void MatroskaWriter::recover(File file, const td_recording& /*recording*/, Recovered& recovered) {
    file_ = file;
    auto found = scan(FileSource(file));
    if (!found) return;
    layout_ = found->layout;
    index_ = std::move(found->index);
    recovered.memo = std::move(found->memo);
    recovered.packets = found->packets;
    recovered.duration_us = static_cast<std::int64_t>(index_.duration()) * 1000;
}

}  // namespace tapedeck::ebml
