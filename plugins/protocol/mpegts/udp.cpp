#include "mpegts/udp.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "mpegts/packet.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr int receive_buffer = 4 << 20;  // bytes; the system may allow less
constexpr Time silence{2'000'000};
constexpr std::size_t most_turns = 64;  // datagrams by the batch, before the others have theirs

rtp::JitterLimits limits_of(std::int64_t reorder_us) {
    rtp::JitterLimits limits;
    limits.time_us = reorder_us;
    return limits;
}

bool looks_right(ByteSpan bytes, bool is_rtp) {
    if (!is_rtp) return !bytes.empty() && bytes[0] == sync_byte;
    return bytes.size() > rtp::header_size && bytes[0] >> 6 == 2 && !rtp::is_rtcp(bytes);
}

}  // namespace

std::span<const UdpReader::Datagram> UdpReader::receive(int descriptor) {
    if (!block_ || std::exchange(is_kept_, false)) block_ = context_.buffer(slot * most);
    std::array<mmsghdr, most> headers{};
    std::array<iovec, most> vectors{};
    std::array<sockaddr_storage, most> names;
    for (std::size_t i = 0; i < most; ++i) {
        vectors[i] = {block_.data() + i * slot, slot};
        headers[i].msg_hdr.msg_name = &names[i];
        headers[i].msg_hdr.msg_namelen = sizeof names[i];
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(descriptor, headers.data(), most, MSG_DONTWAIT, nullptr);
    datagrams_.clear();
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
        const bool is_cut = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        const std::size_t size = is_cut ? 0 : headers[i].msg_len;
        datagrams_.push_back({Address::of(names[i]), {block_.data() + i * slot, size}});
    }
    return datagrams_;
}

UdpInput::UdpInput(UdpReader& reader, const Address& local, Options options)
    : reader_(reader), options_(std::move(options)), order_(limits_of(options_.reorder_us)) {
    sockaddr_storage name{};
    socklen_t size = local.store(name);
    auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&name));
    descriptor_ = ::socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0 || ::bind(descriptor_, generic, size) != 0 || ::getsockname(descriptor_, generic, &size) != 0) {
        const std::string why = std::strerror(errno);
        if (descriptor_ >= 0) ::close(descriptor_);
        throw Error("UDP " + local.text() + ": " + why);
    }
    port_ = Address::of(name).port;
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer);
}

UdpInput::~UdpInput() {
    ::close(descriptor_);
}

void UdpInput::read(InputOut& out, Time now) {
    for (std::size_t turn = 0; turn < most_turns; ++turn) {
        const auto datagrams = reader_.receive(descriptor_);
        for (const auto& datagram : datagrams) {
            if (!is_taken(datagram, out, now)) continue;
            options_.is_rtp ? rtp(datagram.bytes, out, now) : out.bytes(datagram.bytes);
        }
        if (order_.holds()) {
            pop(out, now);
            reader_.keep();
        }
        if (datagrams.size() < UdpReader::most) break;
    }
}

bool UdpInput::is_taken(const UdpReader::Datagram& datagram, InputOut& out, Time now) {
    if (sender_ == datagram.from) {
        heard_ = now;
        return true;
    }
    if (!looks_right(datagram.bytes, options_.is_rtp)) return false;
    if (!options_.allowed.contain(datagram.from)) {
        refusal_ = datagram.from.text() + " may not send: it is not in allowedList";
        return false;
    }
    if (sender_ && now - heard_ < silence) {
        refusal_ = datagram.from.text() + " is not heard while " + sender_->text() + " sends";
        return false;
    }
    if (sender_) out.lost();
    sender_ = datagram.from;
    heard_ = now;
    refusal_.clear();
    return true;
}

void UdpInput::rtp(ByteSpan datagram, InputOut& out, Time now) {
    if (rtp::is_rtcp(datagram)) return;
    try {
        rtp::Received received;
        received.packet = rtp::parse_packet(datagram);
        if (std::exchange(ssrc_, received.packet.ssrc) != received.packet.ssrc) {
            order_ = rtp::JitterBuffer(limits_of(options_.reorder_us));
            out.lost();
        }
        received.buffer = reader_.block();
        order_.insert(std::move(received), now.count());
    } catch (const Malformed&) {
        return;  // it is missing in the order
    }
    pop(out, now);
}

void UdpInput::pop(InputOut& out, Time now) {
    while (const auto next = order_.pop(now.count())) {
        if (next->lost != 0) out.lost();
        out.bytes(next->packet.payload);
    }
}

}  // namespace tapedeck::mpegts
