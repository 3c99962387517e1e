// One WebM file that libavformat writes.
#pragma once

#include <cstdint>
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

/// Streams first, then the header, packets, the trailer. All but the destructor throw Error. One thread at a time.
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

    MuxerSettings settings_;
    FileIo io_;
    AVFormatContext* context_ = nullptr;
};

/// The memo of a file that a Muxer began, empty when it has none. Reads the head of the file.
std::string memo_of(File file);

}  // namespace tapedeck::webm_lavf
