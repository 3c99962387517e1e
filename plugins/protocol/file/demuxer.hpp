// One media file through libavformat: its tracks and packets in the SDK's canonical forms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tapedeck/context.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::file_source {

/// One access unit or audio frame. Times in ticks of its track's time base; the earliest of the file is about 0.
struct Unit {
    std::uint32_t track = 0;
    std::int64_t pts = 0, dts = 0, duration = 0;
    bool key = false, video = false;
    std::vector<std::uint8_t> payload;
};

/// The first video and the first audio stream of a file whose codecs the SDK knows; others are left out. Audio without
/// frames of its own (PCMA, PCMU, G722) is cut into packets of 20 ms. One thread.
class Demuxer {
public:
    /// [blocking] Throws Error that names the file: TD_NOT_FOUND when it cannot be opened, TD_UNSUPPORTED when it has
    /// nothing to publish.
    explicit Demuxer(const std::filesystem::path& file);
    Demuxer(const Demuxer&) = delete;
    Demuxer& operator=(const Demuxer&) = delete;
    ~Demuxer();

    /// Indices count from 0.
    const std::vector<Track>& tracks() const { return tracks_; }
    /// Codecs of streams that are left out, for people.
    const std::vector<std::string>& left_out() const { return left_out_; }

    /// [blocking] The next unit in the file's order; false at its end. Throws Error when the file breaks off.
    bool next(Unit& unit);

private:
    struct Source;
    void add_track(int stream);
    void read();

    std::unique_ptr<Source> source_;
    std::vector<Track> tracks_;
    std::vector<std::string> left_out_;
};

}  // namespace tapedeck::file_source
