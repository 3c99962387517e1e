// The tracks of one connection to a camera: how each is sent, and what comes of it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dialogue.hpp"
#include "loop.hpp"
#include "reception.hpp"
#include "settings.hpp"
#include "udp_tracks.hpp"

namespace tapedeck::rtsp {

/// On the loop. All over TCP or all over UDP; they are set up one after another, from the first on.
class PulledTracks {
public:
    /// `descriptor`: the connection, whose ends UDP has too. `returns`: as Reception has it.
    PulledTracks(Context context, const Settings& settings, int descriptor, std::vector<Medium> media, bool is_udp,
                 bool returns);

    Reception& reception() { return reception_; }

    /// Asks for the next track; `member` hears of its sockets. Throws Error where no UDP port is free.
    void set_up_next(Dialogue& dialogue, Loop& loop, const std::weak_ptr<Member>& member);
    /// The camera's answer; true when there are more to set up. Throws Error when it is not what was asked for.
    bool is_set_up(const TransportHeader& transport);

    /// What is no track's is passed over.
    void interleaved(std::uint8_t channel, ByteSpan packet, const Buffer& buffer, std::int64_t now_us);
    void read_udp(int descriptor, std::int64_t now_us);
    /// RTCP that is due: sent over UDP, else returned as it is written to the connection.
    std::string report(std::int64_t now_us);

private:
    void find_peer(const TransportHeader& transport);

    Context context_;
    const Settings& settings_;
    int descriptor_;
    bool is_udp_;
    Reception reception_;
    std::unique_ptr<UdpTracks> udp_;
    std::vector<std::pair<std::uint8_t, std::uint8_t>> channels_;  // of each track, RTP and RTCP
    std::size_t next_ = 0;
};

}  // namespace tapedeck::rtsp
