// One client of the load's RTSP server: its requests are answered, and the clip goes to it once, from PLAY on.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string>

#include "line.hpp"
#include "rtsp/message.hpp"
#include "rtsp_clip.hpp"

namespace tapedeck::load {

/// What all clients share; outlives them.
struct RtspShared {
    const RtspClip& clip;
    Line& line;               // of packets over UDP
    std::array<int, 2> udp;   // sockets that RTP and RTCP leave by
    std::uint16_t udp_port;   // of the first; the second is the next
    std::uint64_t bytes = 0;  // of media
    std::uint64_t packets = 0, lost = 0;
    std::int64_t latest_us = 0;  // how far a frame was behind its time at the worst
};

/// Times are microseconds of one monotonic clock. One thread.
class RtspSession {
public:
    /// Owns the connected socket.
    RtspSession(int socket, RtspShared& shared) : socket_(socket), shared_(shared) {}
    RtspSession(const RtspSession&) = delete;
    RtspSession& operator=(const RtspSession&) = delete;
    ~RtspSession();

    /// Reads what came, and sends what is due.
    void work(std::int64_t now_us);

    int socket() const { return socket_; }
    bool is_full() const { return !out_.empty(); }
    bool is_over() const { return is_over_; }

private:
    struct Track {
        bool is_wanted = false;
        sockaddr_in rtp{}, rtcp{};  // of UDP
        std::uint32_t packets = 0, octets = 0;
    };

    void receive(std::int64_t now_us);
    void answer(const rtsp::Message& request, std::int64_t now_us);
    bool set_up(const rtsp::Message& request, rtsp::Message& response);
    void send_media(std::int64_t now_us);
    void send_frame(const RtspFrame& frame);
    void send_reports(std::int64_t now_us);
    void send_bytes(ByteSpan bytes);

    int socket_;
    RtspShared& shared_;
    Bytes in_, out_;
    bool is_over_ = false, is_tcp_ = true;
    std::array<Track, 2> tracks_;
    std::int64_t began_us_ = 0;  // of PLAY; 0: not yet
    std::int64_t next_report_us_ = 0;
    std::size_t next_ = 0;  // frame
};

}  // namespace tapedeck::load
