#include "rtsp_session.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "rtp/rtcp.hpp"
#include "rtp/sender_clock.hpp"
#include "rtsp/transport_header.hpp"

namespace tapedeck::load {
namespace {

constexpr std::size_t most_waiting = 8'000'000;  // bytes that a client may leave unread
constexpr std::int64_t report_us = 5'000'000;    // between sender reports

std::int64_t unix_now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

RtspSession::~RtspSession() {
    close(socket_);
}

void RtspSession::work(std::int64_t now_us) {
    receive(now_us);
    if (!out_.empty()) {
        const auto rest = std::move(out_);
        out_.clear();
        send_bytes(rest);
    }
    if (began_us_ != 0) send_media(now_us);
}

void RtspSession::receive(std::int64_t now_us) {
    std::array<std::uint8_t, 4096> buffer;
    while (!is_over_) {
        const auto count = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) break;
        if (count <= 0) {
            is_over_ = true;
            return;
        }
        in_.insert(in_.end(), buffer.begin(), buffer.begin() + count);
    }
    for (;;) {
        const auto front = rtsp::parse(in_);
        if (front.used == 0) return;
        if (front.message) answer(*front.message, now_us);
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(front.used));
    }
}

void RtspSession::answer(const rtsp::Message& request, std::int64_t now_us) {
    rtsp::Message response;
    response.status = 200;
    response.reason = "OK";
    response.set("CSeq", request.header("CSeq"));
    response.set("Session", "1;timeout=60");
    if (request.method == "OPTIONS") {
        response.set("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER");
    } else if (request.method == "DESCRIBE") {
        response.set("Content-Type", "application/sdp");
        response.set("Content-Base", request.uri + "/");
        response.body = shared_.clip.sdp("127.0.0.1");
    } else if (request.method == "SETUP") {
        if (!set_up(request, response)) response.status = 461;
    } else if (request.method == "PLAY") {
        response.set("Range", "npt=0.000-");
        response.set("RTP-Info",
                     "url=" + request.uri + "/track0;seq=0;rtptime=0,url=" + request.uri + "/track1;seq=0;rtptime=0");
        began_us_ = next_report_us_ = now_us;
    } else if (request.method == "TEARDOWN") {
        is_over_ = true;
    } else if (request.method != "GET_PARAMETER") {
        response.status = 501;
    }
    const auto text = rtsp::write(response);
    send_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// The channels asked for must be those that the packets have: 0 and 1 for the picture, 2 and 3 for the sound.
bool RtspSession::set_up(const rtsp::Message& request, rtsp::Message& response) {
    const std::size_t number = request.uri.ends_with("track1") ? 1 : 0;
    auto transport = rtsp::TransportHeader::parse(request.header("Transport"));
    if (!transport || transport->is_multicast) return false;
    is_tcp_ = transport->is_tcp;
    auto& track = tracks_.at(number);
    if (is_tcp_) {
        if (!transport->interleaved || transport->interleaved->first != 2 * number) return false;
    } else {
        if (!transport->client_port) return false;
        socklen_t size = sizeof track.rtp;
        if (getpeername(socket_, reinterpret_cast<sockaddr*>(&track.rtp), &size) != 0) return false;
        track.rtcp = track.rtp;
        track.rtp.sin_port = htons(transport->client_port->first);
        track.rtcp.sin_port = htons(transport->client_port->second);
        transport->server_port = {shared_.udp_port, static_cast<std::uint16_t>(shared_.udp_port + 1)};
    }
    track.is_wanted = true;
    response.set("Transport", transport->text());
    return true;
}

void RtspSession::send_media(std::int64_t now_us) {
    if (now_us >= next_report_us_) {
        send_reports(now_us);
        next_report_us_ += report_us;
    }
    const auto& frames = shared_.clip.frames;
    for (; !is_over_ && next_ < frames.size() && began_us_ + frames[next_].due_us <= now_us; ++next_) {
        if (!tracks_.at(frames[next_].track).is_wanted) continue;
        shared_.latest_us = std::max(shared_.latest_us, now_us - began_us_ - frames[next_].due_us);
        send_frame(frames[next_]);
    }
    if (next_ == frames.size() && out_.empty()) is_over_ = true;
}

void RtspSession::send_frame(const RtspFrame& frame) {
    const ByteSpan all(shared_.clip.bytes);
    auto& track = tracks_.at(frame.track);
    if (is_tcp_) send_bytes(all.subspan(frame.at, frame.size));
    for (auto rest = all.subspan(frame.at, frame.size); !rest.empty();) {
        const std::size_t size = static_cast<std::size_t>(rest[2] << 8 | rest[3]);
        const auto packet = rest.subspan(RtspClip::frame_header, size);
        rest = rest.subspan(RtspClip::frame_header + size);
        ++track.packets;
        track.octets += static_cast<std::uint32_t>(size);
        ++shared_.packets;
        shared_.bytes += size;
        if (is_tcp_) continue;
        const auto number = static_cast<std::uint64_t>(packet.data() - all.data());
        const bool is_lost =
            shared_.line.loses(number) || sendto(shared_.udp[0], packet.data(), size, MSG_DONTWAIT,
                                                 reinterpret_cast<const sockaddr*>(&track.rtp), sizeof track.rtp) < 0;
        if (is_lost) ++shared_.lost;
    }
}

/// Sender reports whose wall clock is the machine's.
void RtspSession::send_reports(std::int64_t now_us) {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
        const auto& track = tracks_.at(i);
        if (!track.is_wanted) continue;
        const auto& described = shared_.clip.tracks[i];
        const auto played_us = now_us - began_us_;
        rtp::Report report;
        report.ssrc = described.ssrc;
        report.sender =
            rtp::SenderInfo{rtp::ntp(unix_now_us()), static_cast<std::uint32_t>(played_us * described.rate / 1'000'000),
                            track.packets, track.octets};
        Bytes compound;
        rtp::append(compound, report);
        rtp::append(compound, rtp::SourceName{described.ssrc, "load"});
        if (is_tcp_) {
            Bytes framed{'$', static_cast<std::uint8_t>(2 * i + 1), static_cast<std::uint8_t>(compound.size() >> 8),
                         static_cast<std::uint8_t>(compound.size() & 0xff)};
            framed.insert(framed.end(), compound.begin(), compound.end());
            send_bytes(framed);
        } else {
            sendto(shared_.udp[1], compound.data(), compound.size(), MSG_DONTWAIT,
                   reinterpret_cast<const sockaddr*>(&track.rtcp), sizeof track.rtcp);
        }
    }
}

void RtspSession::send_bytes(ByteSpan bytes) {
    if (is_over_) return;
    ssize_t sent = 0;
    if (out_.empty()) sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0 || out_.size() > most_waiting) {
        is_over_ = true;
        return;
    }
    out_.insert(out_.end(), bytes.begin() + sent, bytes.end());
}

}  // namespace tapedeck::load
