// The Matroska writer, driven as the recorder drives it, and media made up for it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "../writer_session.hpp"
#include "walker.hpp"
#include "writer.hpp"

namespace tapedeck::ebml::test {

inline constexpr Format format{"matroska", Key::duration("cluster_duration", "5s"), Key::bytes("cluster_size", "128k"),
                               Key::bytes("cues_reserve", "8192")};

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

class TestedWriter : public MatroskaWriter {
public:
    static constexpr std::array keys{format.cluster_duration, format.cluster_size, format.cues_reserve};
    explicit TestedWriter(Context context) : MatroskaWriter(context, format) {}
};

class Session : public tapedeck::test::WriterSession<TestedWriter, Clip> {
public:
    Segment segment() const { return Segment(file.contents()); }
};
using tapedeck::test::recover_and_finish;

}  // namespace tapedeck::ebml::test
