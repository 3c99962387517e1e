// Real H.264 and AAC: a generated clip, encoded by ffmpeg as FLV and taken apart into what a recorder gives a writer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tapedeck/stream.hpp"

namespace tapedeck::mp4::test {

/// One access unit or audio frame; times in milliseconds from the first picture that is shown.
struct Unit {
    std::uint32_t track = 0;
    bool key = false;
    std::int64_t dts = 0, pts = 0, duration = 0;
    std::vector<std::uint8_t> data;
};

struct Clip {
    static constexpr std::uint32_t video = 0, audio = 1;

    std::vector<Track> tracks;
    std::vector<Unit> units;  // in order of dts

    /// Only the units of one track.
    Clip only(std::uint32_t track) const;
    /// The same `times` over, one behind the other.
    Clip repeated(int times) const;
};

/// How ffmpeg makes it.
struct Recipe {
    std::string seconds = "3";
    std::string size = "320x180";
    int b_frames = 0;
    int key_distance = 30;
    std::string more;  // further options of the encoders
};

/// Made once for each recipe. `source`, when given, gets the path of the FLV file, which lives as long as the process.
const Clip& make_clip(const Recipe& recipe = {}, std::filesystem::path* source = nullptr);

}  // namespace tapedeck::mp4::test
