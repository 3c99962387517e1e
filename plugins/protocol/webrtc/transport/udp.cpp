#include "webrtc/transport/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tapedeck::webrtc {

namespace {

constexpr int socket_buffer = 4 << 20;  // bytes, each way; the system may allow less
constexpr std::size_t control_size = CMSG_SPACE(sizeof(in6_pktinfo));

struct Control {
    alignas(cmsghdr) std::array<std::uint8_t, control_size> bytes;
};

/// The address that a datagram was written to, where the socket's own does not tell.
Endpoint written_to(msghdr& header, const Endpoint& local) {
    for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof info);
            return Endpoint::v4(info.ipi_addr, local.port);
        }
        if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof info);
            return Endpoint::v6(info.ipi6_addr, local.port);
        }
    }
    return local;
}

template <class Info>
void put(msghdr& header, Control& control, int level, int type, const Info& info) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(sizeof info);
    auto* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
}

void leave_from(const Endpoint& local, msghdr& header, Control& control) {
    if (local.is_v4()) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, local.ip.data() + 12, 4);
        put(header, control, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, local.ip.data(), 16);
        put(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

}  // namespace

UdpSocket::UdpSocket(const Endpoint& address, Place place) : socket_(SOCK_DGRAM, address, place) {
    set_option(descriptor(), SOL_SOCKET, SO_RCVBUF, socket_buffer);
    set_option(descriptor(), SOL_SOCKET, SO_SNDBUF, socket_buffer);
    set_option(descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, socket_buffer);  // beyond rmem_max, where we may
    if (address.is_any())
        address.is_v4() ? set_option(descriptor(), IPPROTO_IP, IP_PKTINFO, 1)
                        : set_option(descriptor(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

std::span<const ReceiveBatch::Datagram> ReceiveBatch::receive(const UdpSocket& socket) {
    if (std::exchange(is_kept_, false)) used_ += datagrams_.size();
    datagrams_.clear();
    if (!block_ || slots - used_ < 8) {
        block_ = context_.buffer(slot * slots);
        used_ = 0;
    }
    std::array<mmsghdr, slots> headers{};
    std::array<iovec, slots> vectors{};
    std::array<sockaddr_storage, slots> names;
    std::array<Control, slots> controls;
    const auto free = slots - used_;
    for (std::size_t i = 0; i < free; ++i) {
        auto& header = headers[i].msg_hdr;
        vectors[i] = {block_.data() + (used_ + i) * slot, slot};
        header.msg_name = &names[i];
        header.msg_namelen = sizeof names[i];
        header.msg_iov = &vectors[i];
        header.msg_iovlen = 1;
        header.msg_control = controls[i].bytes.data();
        header.msg_controllen = control_size;
    }
    const auto count =
        ::recvmmsg(socket.descriptor(), headers.data(), static_cast<unsigned>(free), MSG_DONTWAIT, nullptr);
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
        auto& header = headers[i].msg_hdr;
        std::size_t size = headers[i].msg_len;
        if ((header.msg_flags & MSG_TRUNC) != 0) size = 0;  // keeps its slot, and says nothing
        datagrams_.push_back(
            {{written_to(header, socket.local()), Endpoint::of(names[i])}, {block_.data() + (used_ + i) * slot, size}});
    }
    return datagrams_;
}

std::span<std::uint8_t> SendBatch::room() {
    if (count_ == slots) flush();
    return std::span(bytes_).subspan(count_ * slot, slot);
}

void SendBatch::commit(const Pair& to, std::size_t size) {
    entries_[count_++] = {to, size};
}

const UdpSocket* SendBatch::socket_of(const Pair& pair) const {
    for (const auto& socket : sockets_) {
        const auto& local = socket.local();
        if (local == pair.local) return &socket;
        if (local.is_any() && local.port == pair.local.port && local.is_v4() == pair.local.is_v4()) return &socket;
    }
    return nullptr;
}

void SendBatch::flush() {
    for (std::size_t first = 0; first < count_;) {
        const auto* socket = socket_of(entries_[first].to);
        auto end = first + 1;
        while (end < count_ && socket_of(entries_[end].to) == socket) ++end;
        if (socket != nullptr)
            send(*socket, first, end - first);
        else
            dropped_ += end - first;
        first = end;
    }
    count_ = 0;
}

void SendBatch::send(const UdpSocket& socket, std::size_t first, std::size_t count) {
    std::array<mmsghdr, slots> headers{};
    std::array<iovec, slots> vectors{};
    std::array<sockaddr_storage, slots> names;
    std::array<Control, slots> controls{};
    for (std::size_t i = 0; i < count; ++i) {
        const auto& entry = entries_[first + i];
        auto& header = headers[i].msg_hdr;
        vectors[i] = {bytes_.data() + (first + i) * slot, entry.size};
        header.msg_name = &names[i];
        header.msg_namelen = entry.to.remote.store(names[i]);
        header.msg_iov = &vectors[i];
        header.msg_iovlen = 1;
        if (socket.local().is_any()) leave_from(entry.to.local, header, controls[i]);
    }
    for (std::size_t done = 0; done < count;) {
        const auto sent =
            ::sendmmsg(socket.descriptor(), &headers[done], static_cast<unsigned>(count - done), MSG_NOSIGNAL);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
        } else if (errno != EINTR) {
            const bool is_full = errno == EAGAIN || errno == ENOBUFS;
            dropped_ += is_full ? count - done : 1;  // any other fault is that of the first one
            done = is_full ? count : done + 1;
        }
    }
}

}  // namespace tapedeck::webrtc
