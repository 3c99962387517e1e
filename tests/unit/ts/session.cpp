#include "session.hpp"

namespace tapedeck::ts::test {

td_recording Session::recording() const {
    td_recording facts{};
    facts.size = sizeof facts;
    facts.memo = text_of(memo);
    facts.start_us = 1700000000250000;
    facts.end_us = facts.media_start_us = facts.media_end_us = facts.duration_us = TD_NO_TIME;
    return facts;
}

void Session::open(const Clip& clip) {
    std::vector<const td_track*> tracks;
    tracks.reserve(clip.tracks.size());
    for (const Track& track : clip.tracks) tracks.push_back(&track.track);
    writer.open(File(&file), recording(), tracks);
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
        if (flush_at == INT64_MIN) flush_at = unit.dts + flush_ms;
        while (unit.dts >= flush_at) {
            writer.flush();
            flush_at += flush_ms;
        }
        write(unit);
    }
    writer.flush();
}

void Session::record(const Clip& clip) {
    open(clip);
    write(clip);
    writer.finish();
}

Recovered recover_and_finish(Session& session) {
    TsWriter again(session.context());
    Recovered found;
    again.recover(File(&session.file), session.recording(), found);
    if (found.packets != 0) again.finish();
    return found;
}

Clip pictures(const std::vector<std::int64_t>& times_ms, std::size_t key_distance, std::size_t size) {
    Clip clip;
    clip.tracks = {Track(TD_VIDEO, TD_CODEC_H264, {1, 1000}, Clip::video)};
    clip.tracks[0].config(make_clip().tracks[0].config());
    for (std::size_t i = 0; i < times_ms.size(); ++i) {
        const bool key = i % key_distance == 0;
        Unit unit{Clip::video, key, times_ms[i], times_ms[i], 0, std::vector<std::uint8_t>(size, 0x55)};
        unit.duration = i + 1 < times_ms.size() ? times_ms[i + 1] - times_ms[i] : 40;
        for (std::size_t byte = 0; byte < 4; ++byte)
            unit.data[byte] = static_cast<std::uint8_t>((size - 4) >> (24 - 8 * byte));
        unit.data[4] = key ? 0x65 : 0x41;
        clip.units.push_back(std::move(unit));
    }
    return clip;
}

Clip sound(std::size_t frames, std::int64_t from_ticks) {
    Clip clip;
    clip.tracks = {Track(TD_AUDIO, TD_CODEC_AAC, {1, 44100}, Clip::audio)};
    clip.tracks[0].config(std::vector<std::uint8_t>{0x12, 0x10});
    for (std::size_t i = 0; i < frames; ++i) {
        const std::int64_t time = from_ticks + static_cast<std::int64_t>(i) * 1024;
        clip.units.push_back(
            {Clip::audio, true, time, time, 1024, std::vector<std::uint8_t>(100 + i % 90, std::uint8_t(i))});
    }
    return clip;
}

}  // namespace tapedeck::ts::test
