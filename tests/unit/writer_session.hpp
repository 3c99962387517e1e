// A writer with a host and a file in memory, driven as the recorder drives it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tapedeck/plugin.hpp"
#include "testkit/fake_host.hpp"
#include "testkit/memory_file.hpp"

namespace tapedeck::test {

/// The settings that a plugin's class declares; none is a list too.
template <class Plugin>
constexpr auto keys_of() {
    if constexpr (requires { Plugin::keys; })
        return Plugin::keys;
    else
        return std::array<Key, 0>{};
}

/// `Tested` is made of a Context. `Clip` has `tracks` and `units` in order of dts, of which each has `track`, `key`,
/// `dts`, `pts`, `duration` and `data`.
template <class Tested, class Clip>
class WriterSession {
public:
    using Writer = Tested;
    using Unit = typename decltype(Clip::units)::value_type;

    WriterSession() : host(keys), writer(context()) {}

    Context context() { return {host.table(), host.context()}; }
    /// What `open` and `recover` are given.
    td_recording recording() const {
        td_recording facts{};
        facts.size = sizeof facts;
        facts.memo = text_of(memo);
        facts.stream = text_of(stream_name);
        facts.start_us = 1700000000250000;
        facts.end_us = facts.media_start_us = facts.media_end_us = facts.duration_us = TD_NO_TIME;
        return facts;
    }

    void open(const std::vector<Track>& tracks) {
        std::vector<const td_track*> pointers;
        pointers.reserve(tracks.size());
        for (const Track& track : tracks) pointers.push_back(&track.track);
        writer.open(File(&file), recording(), pointers);
    }

    void open(const Clip& clip) { open(clip.tracks); }

    void write(const Unit& unit) {
        OwnedPacket packet(context(), unit.track, unit.data, unit.pts, unit.key ? TD_PACKET_KEY : 0);
        packet.packet.dts = unit.dts;
        packet.packet.duration = unit.duration;
        writer.write(packet.packet);
    }
    /// The units from `from_ms` to before `to_ms`, with a flush each `flush_ms` and at the end.
    void write(const Clip& clip, std::int64_t from_ms = INT64_MIN, std::int64_t to_ms = INT64_MAX) {
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
    void record(const Clip& clip) {
        open(clip.tracks);
        write(clip);
    }
    /// `finish`, and what the host does after it.
    void finish() {
        writer.finish();
        file.finish();
    }

private:
    static constexpr auto keys = keys_of<Tested>();  // the host keeps references

public:
    testkit::FakeHost host;
    testkit::MemoryFile file;
    Tested writer;
    std::string memo = R"({"stream":"cam1"})";
    std::string stream_name = "cam1";
    std::int64_t flush_ms = 500;
};

/// As a restart: a new writer recovers the file and, when it found packets, finishes it. Gives what was found.
template <class Session>
Recovered recover_and_finish(Session& session) {
    typename Session::Writer again(session.context());
    Recovered found;
    again.recover(File(&session.file), session.recording(), found);
    if (found.packets != 0) {
        again.finish();
        session.file.finish();
    }
    return found;
}

}  // namespace tapedeck::test
