#include "muxer.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "pes.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::int64_t wrap = (std::int64_t{1} << 33) - 1;

// Pictures carry the clock, but not more often than this.
constexpr std::int64_t clock_step = ticks_per_second * 4 / 100;
// Frames of sound share a PES packet as long as they follow each other; few enough for the clock's limit.
constexpr std::int64_t longest_sound = ticks_per_second * 8 / 100, sound_tolerance = ticks_per_second / 500;
constexpr std::size_t most_sound = 32000;  // two of this size fit into a PES packet
// A longer time without anything is said to be one instead of being filled with clock references.
constexpr std::int64_t longest_gap = 600 * ticks_per_second;

constexpr std::size_t most_tracks = 100;
enum Table : std::size_t { association_channel, map_channel, private_channel };  // the tracks' follow

StreamType stream_type(const td_track& track) {
    switch (track.codec) {
        case TD_CODEC_H264:
            return StreamType::H264;
        case TD_CODEC_H265:
            return StreamType::H265;
        case TD_CODEC_AAC:
            return StreamType::Adts;
        default:
            throw Error(TD_UNSUPPORTED, "its codec has no place in a TS file");
    }
}

/// Runs `body`; what it finds malformed is told as an Error that names the track.
template <class Body>
void with_track(std::uint32_t index, Body body) {
    const auto named = [index](const char* what) { return "track " + std::to_string(index) + ": " + what; };
    try {
        body();
    } catch (const Malformed& e) {
        throw Error(TD_MALFORMED, named(e.what()));
    } catch (const Error& e) {
        throw Error(e.status(), named(e.what()));
    }
}

}  // namespace

struct Muxer::Track {
    std::uint32_t index = 0;
    td_rational time_base{};
    std::uint8_t stream_id = 0;
    StreamType type{};
    std::optional<AccessUnits> pictures;
    std::optional<AdtsFramer> adts;
    std::size_t channel = 0;

    // Sound that waits for more of it.
    Bytes sound;
    std::int64_t sound_pts = 0, sound_end = 0;

    bool is_video() const { return pictures.has_value(); }
    /// As it was when this throws.
    void set_up(const td_track& track) {
        if (track.time_base.num <= 0 || track.time_base.den <= 0) throw Malformed("its time base is not positive");
        if (type == StreamType::Adts) {
            adts = AdtsFramer({track.config.data, track.config.size});
        } else if (is_video()) {
            pictures->change(track);
        } else if (type == StreamType::H264 || type == StreamType::H265) {
            pictures.emplace(track);
        }
        time_base = track.time_base;
    }
};

Muxer::~Muxer() = default;

Muxer::Muxer(std::string_view memo, std::span<const td_track* const> tracks)
    : association_(program_association()), memo_(memo_sections(memo)) {
    if (tracks.empty()) throw Error(TD_UNSUPPORTED, "a TS file needs at least one track");
    now_.channels = written_.channels = {{association_pid}, {map_pid}, {private_pid}};
    for (const td_track* track : tracks) add(*track);
    const auto video = std::ranges::find_if(tracks_, [](const auto& track) { return track->is_video(); });
    clock_track_ = video == tracks_.end() ? 0 : static_cast<std::size_t>(video - tracks_.begin());
    version_ = 0;
    map();
}

void Muxer::add(const td_track& given) {
    if (tracks_.size() >= most_tracks) throw Error(TD_UNSUPPORTED, "more than 100 tracks in a TS file");
    auto track = std::make_unique<Track>();
    with_track(given.index, [&] {
        track->index = given.index;
        track->type = stream_type(given);
        track->set_up(given);
    });
    track->stream_id = track->is_video() ? video_stream_id : audio_stream_id;
    track->channel = now_.channels.size();
    const Channel channel{static_cast<std::uint16_t>(first_track_pid + tracks_.size())};
    now_.channels.push_back(channel);
    written_.channels.push_back(channel);
    tracks_.push_back(std::move(track));
    ++version_;
    map();
    if (!now_.begun) return;
    written_.tables_at = now_.clock - tables_limit;  // should these be lost, others are due
    write_tables();
}

void Muxer::map() {
    std::vector<MappedTrack> mapped;
    mapped.reserve(tracks_.size());
    for (const auto& track : tracks_) mapped.push_back({now_.channels[track->channel].pid, track->type});
    map_ = program_map(mapped[clock_track_].pid, mapped, version_);
}

Muxer::Track* Muxer::find(std::uint32_t index) const {
    for (const auto& track : tracks_)
        if (track->index == index) return track.get();
    return nullptr;
}

void Muxer::change(const td_track& changed) {
    Track& track = *find(changed.index);
    emit_sound(track);
    with_track(changed.index, [&] { track.set_up(changed); });
}

void Muxer::write(const td_packet& packet) {
    with_track(packet.track, [&] {
        Track* track = find(packet.track);
        if (track == nullptr) throw Malformed("a packet of a track that is not in the file");
        if (packet.data_size == 0) throw Malformed("an empty packet");
        const std::int64_t pts = start + rescale(packet.pts, track->time_base, ticks);
        const std::int64_t duration = packet.duration == TD_NO_TIME ? 0 : packet.duration;
        if (track->is_video()) {
            const std::int64_t dts = packet.dts == TD_NO_TIME ? packet.pts : packet.dts;
            write_picture(*track, packet, pts, start + rescale(dts, track->time_base, ticks));
        } else {
            write_sound(*track, {packet.data, packet.data_size}, pts, rescale(duration, track->time_base, ticks));
        }
        ++now_.mark.packets;
        now_.mark.end_us = std::max(now_.mark.end_us, to_us(packet.pts + duration, track->time_base));
    });
}

void Muxer::write_picture(Track& track, const td_packet& packet, std::int64_t pts, std::int64_t dts) {
    const bool key = (packet.flags & TD_PACKET_KEY) != 0;
    parts_.assign(1, {});  // the PES header's place
    track.pictures->append(parts_, {packet.data, packet.data_size}, key);
    std::size_t size = 0;
    for (const ByteSpan part : parts_) size += part.size();
    if (key) now_.reorder = pts - dts;
    advance(dts - lead);
    if (key && now_.tables_at != now_.clock) write_tables();
    const PesHeaderBytes header({track.stream_id, pts & wrap, dts & wrap, size});
    parts_.front() = header.bytes();
    packets_.unit(now_.channels[track.channel], announce(track, key), parts_);
}

void Muxer::write_sound(Track& track, ByteSpan frame, std::int64_t pts, std::int64_t duration) {
    if (frame.size() > most_sound) throw Malformed("a frame of sound of " + std::to_string(frame.size()) + " bytes");
    const bool follows = std::abs(pts - track.sound_end) <= sound_tolerance;
    const bool fits = pts + duration - track.sound_pts <= longest_sound && track.sound.size() < most_sound;
    // Only AAC's frames can be counted again in a torn file, so others go alone.
    if (!track.adts || !follows || !fits) emit_sound(track);
    const std::size_t before = track.sound.size();
    if (track.adts) {
        track.adts->append(track.sound, frame);
    } else {
        track.sound.assign(frame.begin(), frame.end());
    }
    if (before == 0) track.sound_pts = pts;
    track.sound_end = pts + duration;
    advance(pts - now_.reorder - lead);
}

void Muxer::emit_sound(Track& track) {
    if (track.sound.empty()) return;
    const std::int64_t pts = track.sound_pts & wrap;
    const PesHeaderBytes header({track.stream_id, pts, pts, track.sound.size()});
    parts_.assign({header.bytes(), track.sound});
    packets_.unit(now_.channels[track.channel], announce(track, false), parts_);
    track.sound.clear();
}

/// On the track that carries the clock: where a decoder may begin, and what time it is when one is due.
Announcement Muxer::announce(const Track& track, bool key) {
    Announcement announcement{key, {}};
    if (&track != tracks_[clock_track_].get()) return announcement;
    if (!key && now_.clock - now_.pcr < clock_step) return announcement;
    now_.pcr = now_.clock;
    announcement.random_access = key || !track.is_video();
    announcement.pcr = now_.clock & wrap;
    return announcement;
}

void Muxer::begin(std::int64_t time) {
    now_.begun = true;
    now_.clock = time;
    now_.pcr = time - clock_limit;  // the first reference is due now
    write_tables();
    for (const Bytes& section : memo_) packets_.section(now_.channels[private_channel], section);
}

/// Brings the clock forward to `time`, with as many references and tables as are due on the way.
void Muxer::advance(std::int64_t time) {
    if (!now_.begun) return begin(time);
    const Channel& channel = now_.channels[tracks_[clock_track_]->channel];
    if (time - now_.pcr > longest_gap) {
        now_.clock = now_.pcr = time;
        packets_.clock(channel, time & wrap, true);
    }
    while (time - now_.pcr > clock_limit) {
        now_.clock = now_.pcr += clock_limit;
        packets_.clock(channel, now_.pcr & wrap);
        if (now_.clock - now_.tables_at >= tables_limit) write_tables();
    }
    now_.clock = std::max(now_.clock, time);
    if (now_.clock - now_.tables_at >= tables_limit) write_tables();
}

void Muxer::write_tables() {
    now_.tables_at = now_.clock;
    packets_.section(now_.channels[association_channel], association_);
    packets_.section(now_.channels[map_channel], map_);
}

ByteSpan Muxer::take() {
    for (const auto& track : tracks_) emit_sound(*track);
    packets_.section(now_.channels[private_channel], mark_section(now_.mark));
    return packets_.bytes();
}

void Muxer::written() {
    packets_.clear();
    written_ = now_;
}

void Muxer::lost() {
    packets_.clear();
    for (const auto& track : tracks_) track->sound.clear();
    now_ = written_;
}

}  // namespace tapedeck::ts
