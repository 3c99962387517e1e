// The UDP sockets of one session: two for each track.
#pragma once

#include <functional>
#include <vector>

#include "loop.hpp"
#include "socket.hpp"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtsp {

/// On the loop's thread; the sockets are watched from `add` until it is destroyed.
class UdpTracks {
public:
    /// A datagram of the track of this number; it lies in `buffer`.
    using Take = std::function<void(std::size_t track, bool is_rtcp, ByteSpan bytes, const Buffer& buffer)>;

    UdpTracks(Context context, Loop& loop, std::weak_ptr<Member> member)
        : context_(context), loop_(loop), member_(std::move(member)) {}
    ~UdpTracks();
    UdpTracks(const UdpTracks&) = delete;
    UdpTracks& operator=(const UdpTracks&) = delete;

    void add(std::size_t track, UdpPair pair);
    /// Where the other side's packets come from and reports go. Datagrams of other hosts are dropped.
    void peer(std::size_t track, Address rtp, Address rtcp);
    /// A few bytes towards the peer, so that firewalls and NATs on the way let its packets in.
    void punch(std::size_t track) const;
    void send_rtcp(std::size_t track, ByteSpan bytes) const;
    /// What has come on this socket, if it is one of these.
    void read(int descriptor, const Take& take);

private:
    struct Track {
        std::size_t number = 0;
        UdpPair pair;
        Address rtp, rtcp;
        bool has_peer = false;
    };
    const Track* find(std::size_t track) const;

    Context context_;
    Loop& loop_;
    std::weak_ptr<Member> member_;
    std::vector<Track> tracks_;
};

}  // namespace tapedeck::rtsp
