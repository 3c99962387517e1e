#include "udp_tracks.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tapedeck::rtsp {

namespace {

constexpr std::size_t slots = 32, slot = 2048;
constexpr int rounds = 8;  // of one socket, before others have their turn

}  // namespace

UdpTracks::~UdpTracks() {
    for (const auto& track : tracks_) {
        loop_.forget(track.pair.rtp.get());
        loop_.forget(track.pair.rtcp.get());
    }
}

void UdpTracks::add(std::size_t track, UdpPair pair) {
    tracks_.push_back({track, std::move(pair), {}, {}, false});
    const auto& added = tracks_.back().pair;
    for (const auto* socket : {&added.rtp, &added.rtcp}) loop_.watch(socket->get(), EPOLLIN, member_.lock());
}

const UdpTracks::Track* UdpTracks::find(std::size_t track) const {
    const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const Track& t) { return t.number == track; });
    return found == tracks_.end() ? nullptr : &*found;
}

void UdpTracks::peer(std::size_t track, Address rtp, Address rtcp) {
    for (auto& one : tracks_) {
        if (one.number != track) continue;
        one.rtp = rtp;
        one.rtcp = rtcp;
        one.has_peer = true;
    }
}

void UdpTracks::punch(std::size_t track) const {
    const auto* const one = find(track);
    if (one == nullptr || !one->has_peer) return;
    constexpr std::array<std::uint8_t, 12> empty_rtp{0x80, 0x7f};
    constexpr std::array<std::uint8_t, 8> empty_rtcp{0x80, 201, 0, 1};
    ::sendto(one->pair.rtp.get(), empty_rtp.data(), empty_rtp.size(), 0, one->rtp.get(), one->rtp.size);
    ::sendto(one->pair.rtcp.get(), empty_rtcp.data(), empty_rtcp.size(), 0, one->rtcp.get(), one->rtcp.size);
}

void UdpTracks::send_rtcp(std::size_t track, ByteSpan bytes) const {
    const auto* const one = find(track);
    if (one == nullptr || !one->has_peer) return;
    ::sendto(one->pair.rtcp.get(), bytes.data(), bytes.size(), 0, one->rtcp.get(), one->rtcp.size);
}

void UdpTracks::read(int descriptor, const Take& take) {
    const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const Track& t) {
        return t.pair.rtp.get() == descriptor || t.pair.rtcp.get() == descriptor;
    });
    if (found == tracks_.end()) return;
    const auto track = found->number;
    const bool is_rtcp = found->pair.rtcp.get() == descriptor;
    const auto host = (is_rtcp ? found->rtcp : found->rtp).host();
    const bool has_peer = found->has_peer;
    // Read into one place for all, and kept in as much as came: a packet of sound would else keep 64 KiB.
    static thread_local std::array<std::uint8_t, slots * slot> place;
    std::array<mmsghdr, slots> messages{};
    std::array<iovec, slots> parts{};
    std::array<sockaddr_storage, slots> from{};
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < slots; ++i) {
            parts[i] = {place.data() + i * slot, slot};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
            messages[i].msg_hdr.msg_name = &from[i];
            messages[i].msg_hdr.msg_namelen = sizeof from[i];
        }
        const int count = ::recvmmsg(descriptor, messages.data(), slots, MSG_DONTWAIT, nullptr);
        if (count <= 0) return;
        std::size_t size = 0;
        for (int i = 0; i < count; ++i) size += messages[static_cast<std::size_t>(i)].msg_len;
        const auto buffer = context_.buffer(size + 1);
        auto* at = buffer.data();
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            const auto& message = messages[i];
            Address sender;
            sender.storage = from[i];
            const bool is_whole = (message.msg_hdr.msg_flags & MSG_TRUNC) == 0;
            if (!has_peer || !is_whole || sender.host() != host) continue;
            std::memcpy(at, place.data() + i * slot, message.msg_len);
            take(track, is_rtcp, {at, message.msg_len}, buffer);
            at += message.msg_len;
        }
        if (count < static_cast<int>(slots)) return;
    }
}

}  // namespace tapedeck::rtsp
