#include "session.hpp"

#include <algorithm>

namespace tapedeck::ebml::test {

Data payload(std::uint32_t track, std::int64_t time, std::size_t size) {
    Data data(size);
    auto state = static_cast<std::uint32_t>(time * 7 + track + 1);
    for (auto& byte : data) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24 | 1);
    return data;
}

Data vp8_key(std::int64_t time, std::size_t size) {
    Data data = payload(0, time, size);
    constexpr std::array<std::uint8_t, 10> head{0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00};
    std::ranges::copy(head, data.begin());
    return data;
}

Track vp8(std::uint32_t index) {
    return Track(TD_VIDEO, TD_CODEC_VP8, {1, 1000}, index);
}

Track opus(std::uint32_t index) {
    Track track(TD_AUDIO, TD_CODEC_OPUS, {1, 1000}, index);
    const Data head{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0};
    track.config(head);
    return track;
}

Clip Clip::made(std::int64_t length_ms, std::int64_t key_distance_ms) {
    Clip clip;
    clip.tracks = {vp8(), opus()};
    for (std::int64_t ms = 0; ms < length_ms; ms += 20) {
        if (ms % 40 == 0) {
            const bool key = ms % key_distance_ms == 0;
            clip.units.push_back({0, key, ms, ms, 40, key ? vp8_key(ms, 900) : payload(0, ms, 200)});
        }
        clip.units.push_back({1, true, ms, ms, 20, payload(1, ms, 60)});
    }
    return clip;
}

Clip Clip::only(std::uint32_t track) const {
    Clip part;
    part.tracks.push_back(tracks.at(track));
    for (const Unit& unit : units)
        if (unit.track == track) part.units.push_back(unit);
    return part;
}

td_recording Session::recording() const {
    td_recording facts{};
    facts.size = sizeof facts;
    facts.memo = text_of(memo);
    facts.stream = text_of("cam1");
    facts.start_us = 1700000000250000;
    facts.end_us = facts.media_start_us = facts.media_end_us = facts.duration_us = TD_NO_TIME;
    return facts;
}

void Session::open(const std::vector<Track>& tracks) {
    std::vector<const td_track*> pointers;
    pointers.reserve(tracks.size());
    for (const Track& track : tracks) pointers.push_back(&track.track);
    writer.open(File(&file), recording(), pointers);
}

void Session::write(const Unit& unit) {
    OwnedPacket packet(context(), unit.track, unit.data, unit.pts, unit.key ? TD_PACKET_KEY : 0);
    packet.packet.dts = unit.dts;
    packet.packet.duration = unit.duration;
    writer.write(packet.packet);
}

void Session::write(const Clip& clip, std::int64_t from_ms, std::int64_t to_ms) {
    std::int64_t flush_at = INT64_MIN;
    for (const Unit& unit : clip.units) {
        if (unit.dts < from_ms || unit.dts >= to_ms) continue;
        if (flush_at == INT64_MIN) flush_at = unit.dts + 500;
        if (unit.dts >= flush_at) {
            writer.flush();
            flush_at += 500;
        }
        write(unit);
    }
    writer.flush();
}

Recovered recover_and_finish(Session& session) {
    MatroskaWriter again(session.context(), format);
    Recovered found;
    again.recover(File(&session.file), session.recording(), found);
    if (found.packets != 0) {
        again.finish();
        session.file.finish();
    }
    return found;
}

}  // namespace tapedeck::ebml::test
