#include "session.hpp"

namespace tapedeck::mp4::test {

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
        if (unit.dts >= flush_at) {
            writer.flush();
            flush_at += flush_ms;
        }
        write(unit);
    }
    writer.flush();
}

Recovered recover_and_finish(Session& session) {
    Mp4Writer again(session.context());
    Recovered found;
    again.recover(File(&session.file), session.recording(), found);
    if (found.packets != 0) {
        again.finish();
        session.file.finish();
    }
    return found;
}

}  // namespace tapedeck::mp4::test
