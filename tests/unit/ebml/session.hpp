// A writer with a host and a file in memory, driven as the recorder drives it, and media made up for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testkit/fake_host.hpp"
#include "testkit/memory_file.hpp"
#include "walker.hpp"
#include "writer.hpp"

namespace tapedeck::ebml::test {

inline constexpr Format format{"matroska", Key::duration("cluster_duration", "5s"), Key::bytes("cluster_size", "128k"),
                               Key::bytes("cues_reserve", "8192")};
inline constexpr std::array format_keys{format.cluster_duration, format.cluster_size, format.cues_reserve};

/// Times in milliseconds.
struct Unit {
    std::uint32_t track = 0;
    bool key = false;
    std::int64_t pts = 0, dts = 0, duration = 0;
    Data data;
};

/// VP8 of 25 pictures a second (track 0, 320x180) and Opus of 20 ms (track 1, 312 samples of pre-skip), both in
/// milliseconds; payloads differ from each other.
struct Clip {
    std::vector<Track> tracks;
    std::vector<Unit> units;

    static Clip made(std::int64_t length_ms = 3000, std::int64_t key_distance_ms = 1000);
    Clip only(std::uint32_t track) const;
};

Track vp8(std::uint32_t index = 0);
Track opus(std::uint32_t index = 1);
Data payload(std::uint32_t track, std::int64_t time, std::size_t size);
Data vp8_key(std::int64_t time, std::size_t size);

class Session {
public:
    Session() : host(format_keys), writer(context(), format) {}

    Context context() { return {host.table(), host.context()}; }
    td_recording recording() const;

    void open(const std::vector<Track>& tracks);
    /// Writes the units from `from_ms` to before `to_ms`, with a flush each 0.5 s and at the end.
    void write(const Clip& clip, std::int64_t from_ms = INT64_MIN, std::int64_t to_ms = INT64_MAX);
    void write(const Unit& unit);
    void record(const Clip& clip) {
        open(clip.tracks);
        write(clip);
    }
    void finish() {
        writer.finish();
        file.finish();
    }
    Segment segment() const { return Segment(file.contents()); }

    testkit::FakeHost host;
    testkit::MemoryFile file;
    MatroskaWriter writer;
    std::string memo = R"({"stream":"cam1"})";
};

/// As a restart: a new writer recovers the file and, when it found packets, finishes it. Gives what was found.
Recovered recover_and_finish(Session& session);

}  // namespace tapedeck::ebml::test
