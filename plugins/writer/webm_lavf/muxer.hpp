// One WebM file that libavformat writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "file_io.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::webm_lavf {

struct MuxerSettings {
    std::int64_t cluster_ms = 100'000;
    std::int64_t cluster_bytes = 131'072;
    std::int64_t start_us = TD_NO_TIME;  ///< UNIX, for DateUTC
    std::string memo;                    ///< the host's note, kept in a Void behind the tracks
};

/// Streams first, then the header, packets, the trailer. All but the destructor throw Error. What could not be written
/// becomes a Void, and its key pictures leave the index. One thread at a time.
class Muxer {
public:
    Muxer(File file, MuxerSettings settings);
    ~Muxer();
    Muxer(const Muxer&) = delete;
    Muxer& operator=(const Muxer&) = delete;

    /// Gives the stream's number.
    int add(const td_track& track, std::uint32_t width, std::uint32_t height);
    int add(const AVStream& other);
    void begin();

    /// Times in `time_base`; the data is borrowed for the call.
    void write(AVPacket& packet, AVRational time_base);
    /// Ends the cluster: all packets so far are in the file.
    void flush();
    void finish();

private:
    AVStream& new_stream();
    void write_memo();
    void fill_holes();
    void strike_cues(std::uint64_t from);
    bool is_lost(std::uint64_t position) const;

    File file_;
    MuxerSettings settings_;
    FileIo io_;
    std::size_t filled_ = 0;  // holes
    AVFormatContext* context_ = nullptr;
};

/// The memo of a file that a Muxer began; nothing of any other. Reads the head of the file.
std::optional<std::string> memo_of(File file);

}  // namespace tapedeck::webm_lavf
