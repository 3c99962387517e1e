#include "webrtc_publisher.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "rtp/rtcp.hpp"
#include "rtp/wire.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::load {
namespace {

using webrtc::SrtpSession;

constexpr std::uint8_t opus_type = 111, video_type = 96, rtx_type = 97, transport_cc_id = 3;
constexpr std::int64_t setup_limit_us = 20'000'000, check_interval_us = 50'000, consent_interval_us = 2'500'000,
                       dtls_interval_us = 50'000, report_interval_us = 1'000'000;
/// What is sent first and last is not lost: no receiver can know that it was there.
constexpr std::int64_t spared_us = 100'000;
constexpr std::int64_t shortest_rtt_us = 5'000;

/// The value of the first `a=<name>:` line.
std::string attribute(const std::string& sdp, const std::string& name) {
    const auto at = sdp.find("\na=" + name + ":");
    if (at == std::string::npos) throw std::runtime_error("the answer has no a=" + name);
    const auto from = at + name.size() + 4;
    return sdp.substr(from, sdp.find_first_of("\r\n", from) - from);
}

/// Address and port of the first candidate over UDP (RFC 8839 section 5.1).
webrtc::Endpoint candidate_of(const std::string& sdp) {
    for (auto at = sdp.find("\na=candidate:"); at != std::string::npos; at = sdp.find("\na=candidate:", at + 1)) {
        std::array<std::string, 6> fields;  // foundation, component, transport, priority, address, port
        auto from = at + 13;
        for (auto& field : fields) {
            const auto end = sdp.find_first_of(" \r\n", from);
            field = sdp.substr(from, end - from);
            from = end + 1;
        }
        if (fields[2] == "udp" || fields[2] == "UDP")
            return webrtc::Endpoint::parse(fields[4], static_cast<std::uint16_t>(std::stoul(fields[5])));
    }
    throw std::runtime_error("the answer has no candidate over UDP");
}

}  // namespace

WhipPublisher::WhipPublisher(const WhipPlan& plan, std::string name, std::uint64_t number)
    : plan_(plan), name_(std::move(name)), there_(plan.there), back_(plan.back) {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
        auto& track = tracks_[i];
        const bool is_video = i == 1;
        rtp::SenderSetup setup;
        setup.ssrc = static_cast<std::uint32_t>(10'000 + number * 4 + i * 2);
        setup.payload_type = is_video ? video_type : opus_type;
        if (is_video) setup.rtx_ssrc = setup.ssrc + 1;
        setup.rtx_payload_type = rtx_type;
        setup.first_sequence = 65'000;  // so that every longer run sees it wrap
        setup.history = 2048;
        track.ssrc = setup.ssrc;
        track.clock = is_video ? 90'000 : 48'000;
        track.first_timestamp = 0xffffffff - 2 * track.clock;  // this one too
        track.sender.emplace(setup);
    }
}

WhipPublisher::~WhipPublisher() {
    if (socket_ >= 0) ::close(socket_);
}

std::future<HttpAnswer> WhipPublisher::ask(const std::string& method, const std::string& path, std::string headers,
                                           std::string body) const {
    if (!plan_.token.empty()) headers += "Authorization: Bearer " + plan_.token + "\r\n";
    return std::async(std::launch::async,
                      [server = plan_.server, method, path, headers = std::move(headers), body = std::move(body)] {
                          return http_request(server, method, path, headers, body);
                      });
}

void WhipPublisher::begin(std::int64_t now_us) {
    began_us_ = since_us_ = now_us;
    step_ = Step::asking;
    answer_ = ask("POST", (plan_.plays ? "/whep/" : "/whip/") + name_ + (plan_.query.empty() ? "" : "?" + plan_.query),
                  "Content-Type: application/sdp\r\n", offer());
}

/// What a browser would write.
std::string WhipPublisher::offer() const {
    const auto& clip = *plan_.clip;
    const std::string transport =
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:" + local_.ufrag + "\r\na=ice-pwd:" + local_.pwd +
        "\r\na=fingerprint:" + plan_.identity->fingerprint().text() + "\r\na=setup:actpass\r\n" +
        (plan_.plays ? "a=recvonly" : "a=sendonly") +
        "\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";
    const auto source = [&](std::uint32_t ssrc) {
        return plan_.plays ? "" : "a=ssrc:" + std::to_string(ssrc) + " cname:load\r\n";
    };
    std::string bundle, lines;
    if (clip.audio != 0) {
        bundle += " 0";
        lines += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" + transport +
                 "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\n"
                 "a=fmtp:111 minptime=10;useinbandfec=1\r\na=msid:load sound\r\n" +
                 source(tracks_[0].ssrc);
    }
    if (clip.video != 0) {
        bundle += " 1";
        const auto& ssrc = tracks_[1].ssrc;
        lines += "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\n" + transport +
                 (clip.video == TD_CODEC_VP8 ? "a=rtpmap:96 VP8/90000\r\n"
                                             : "a=rtpmap:96 H264/90000\r\na=fmtp:96 level-asymmetry-allowed=1;"
                                               "packetization-mode=1;profile-level-id=" +
                                                   clip.profile_level_id + "\r\n") +
                 "a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
                 "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=msid:load picture\r\na=ssrc-group:FID " +
                 std::to_string(ssrc) + " " + std::to_string(ssrc + 1) + "\r\n" + source(ssrc) + source(ssrc + 1);
    }
    return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + bundle +
           "\r\na=msid-semantic: WMS load\r\n" + lines;
}

void WhipPublisher::answered(const HttpAnswer& answer, std::int64_t now_us) {
    if (answer.status != 201)
        throw std::runtime_error("HTTP " + std::to_string(answer.status) + " " + answer.body.substr(0, 200));
    location_ = answer.location;
    remote_ = {attribute(answer.body, "ice-ufrag"), attribute(answer.body, "ice-pwd")};
    const auto role = attribute(answer.body, "setup") == "active" ? webrtc::DtlsRole::server : webrtc::DtlsRole::client;
    dtls_ = std::make_unique<webrtc::DtlsSession>(
        plan_.identity, role, webrtc::Fingerprint::parse(attribute(answer.body, "fingerprint")),
        [this](ByteSpan datagram) { send_plainly(datagram, dtls_us_); }, [](ByteSpan) {});
    connect_to(candidate_of(answer.body));
    step_ = Step::checking;
    check(now_us);
}

/// Not bound by hand: ports that the system gives to sockets with SO_REUSEPORT may be given twice.
void WhipPublisher::connect_to(const webrtc::Endpoint& server) {
    server_ = server;
    sockaddr_storage address{};
    const auto size = server.store(address);
    socket_ = ::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || ::connect(socket_, static_cast<const sockaddr*>(static_cast<const void*>(&address)), size) != 0)
        throw std::runtime_error("UDP " + server.text() + ": " + std::strerror(errno));
}

void WhipPublisher::check(std::int64_t now_us) {
    checked_us_ = now_us;
    std::array<std::uint8_t, 300> room{};
    webrtc::stun::Writer writer(room, webrtc::stun::Kind::request, webrtc::stun::binding, {1, 2, 3});
    writer.username(remote_.ufrag + ":" + local_.ufrag);
    writer.priority(110u << 24 | 65'535u << 8 | 255);  // peer reflexive (RFC 8445 section 7.1.1)
    writer.controlling(1);
    writer.use_candidate();
    send_plainly(writer.finish(remote_.pwd), now_us);
}

/// A server that is no lite agent checks as well (RFC 8445 section 7.3).
void WhipPublisher::answer(const webrtc::stun::Message& request, std::int64_t now_us) {
    if (!webrtc::stun::is_signed(request, local_.pwd)) return;
    std::array<std::uint8_t, 300> room{};
    webrtc::stun::Writer writer(room, webrtc::stun::Kind::success, webrtc::stun::binding, request.transaction);
    writer.mapped(server_);
    send_plainly(writer.finish(local_.pwd), now_us);
}

void WhipPublisher::send_plainly(ByteSpan datagram, std::int64_t now_us) {
    if (there_.is_instant())
        ::send(socket_, datagram.data(), datagram.size(), 0);
    else
        there_.hold(datagram, now_us);
}

void WhipPublisher::send(SrtpSession::Type type, Outbox& out, std::size_t size, std::optional<std::uint64_t> number,
                         std::int64_t now_us) {
    const auto room = out.room();
    const auto protected_size = srtp_->protect(type, room, size);
    if (!protected_size) throw std::runtime_error("a packet cannot be protected");
    if (number && there_.loses(*number)) {
        ++counts_.lost;
        return;
    }
    if (!there_.is_instant()) return there_.hold(room.first(*protected_size), now_us);
    out.commit(*protected_size);
    if (out.is_full()) counts_.refused += out.flush(socket_);
}

void WhipPublisher::receive(std::int64_t now_us, Outbox& out) {
    std::array<std::uint8_t, 2048> buffer;
    for (;;) {
        const auto count = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (count <= 0) break;
        const auto datagram = std::span(buffer).first(static_cast<std::size_t>(count));
        if (datagram[0] >= 128 && back_.loses(received_++)) continue;
        if (back_.is_instant())
            take(datagram, now_us, out);
        else
            back_.hold(datagram, now_us);
    }
    while (auto datagram = back_.take(now_us)) take(*datagram, now_us, out);
}

void WhipPublisher::take(std::span<std::uint8_t> datagram, std::int64_t now_us, Outbox& out) {
    const auto first = datagram[0];
    if (first <= 3) {
        const auto message = webrtc::stun::parse(datagram);
        if (message && message->kind == webrtc::stun::Kind::request) return answer(*message, now_us);
        if (step_ != Step::checking || !message || message->kind != webrtc::stun::Kind::success ||
            !webrtc::stun::is_signed(*message, remote_.pwd))
            return;
        step_ = Step::securing;
        dtls_us_ = now_us;
        dtls_->start();
    } else if (first >= 20 && first <= 63) {
        dtls_us_ = now_us;
        dtls_->receive(datagram);
        look_at_dtls(now_us);
    } else if (first >= 128 && first <= 191 && srtp_) {
        if (!rtp::is_rtcp(datagram)) return count(datagram);
        if (const auto plain = srtp_->unprotect(SrtpSession::Type::rtcp, datagram)) control(*plain, now_us, out);
    }
}

void WhipPublisher::look_at_dtls(std::int64_t now_us) {
    using State = webrtc::DtlsSession::State;
    if (dtls_->state() == State::shaking_hands) return;
    if (dtls_->state() != State::open) {
        if (step_ >= Step::leaving) return;
        if (plan_.plays && dtls_->state() == State::ended) return abandon({});
        throw std::runtime_error(dtls_->state() == State::ended ? "the server said goodbye" : "DTLS: " + dtls_->why());
    }
    if (srtp_) return;
    srtp_.emplace(dtls_->keys());
    connected_us_ = since_us_ = now_us;
    step_ = plan_.plays ? Step::watching : Step::sending;
}

void WhipPublisher::count(ByteSpan rtp) {
    ++counts_.packets;
    counts_.bytes += rtp.size();
}

void WhipPublisher::control(ByteSpan rtcp, std::int64_t now_us, Outbox& out) {
    for (const auto& message : rtp::parse_rtcp(rtcp)) {
        if (const auto* nack = std::get_if<rtp::Nack>(&message)) {
            counts_.nacks += nack->lost.size();
            for (auto& track : tracks_)
                if (track.ssrc == nack->media)
                    for (const auto sequence : nack->lost) repeat(track, sequence, now_us, out);
        }
        counts_.key_requests +=
            std::holds_alternative<rtp::PictureLoss>(message) || std::holds_alternative<rtp::FullIntra>(message);
    }
}

rtp::Extension WhipPublisher::transport_number() {
    rtp::put16(transport_bytes_.data(), transport_number_++);
    return {transport_cc_id, transport_bytes_};
}

void WhipPublisher::repeat(Track& track, std::uint16_t sequence, std::int64_t now_us, Outbox& out) {
    if (track.sender->lost(sequence, now_us, shortest_rtt_us) == nullptr) return;
    const std::array extensions{transport_number()};
    const auto size = track.sender->repeat(out.room(), sequence, extensions, now_us);
    ++counts_.repeated;
    send(SrtpSession::Type::rtp, out, size, std::uint64_t{track.clock} << 16 | sequence, now_us);
}

void WhipPublisher::send_due(std::int64_t now_us, Outbox& out) {
    const auto& units = plan_.clip->units;
    const auto media_us = std::min(plan_.media_us, plan_.clip->length_us);
    for (; next_ < units.size() && units[next_].due_us < media_us; ++next_) {
        const auto& unit = units[next_];
        if (unit.due_us > now_us - connected_us_) return;
        auto& track = tracks_[unit.is_video ? 1 : 0];
        const bool is_spared = unit.due_us < spared_us || unit.due_us > media_us - spared_us;
        for (const auto& payload : unit.payloads) {
            const std::array extensions{transport_number()};
            const auto room = out.room();
            const auto size =
                track.sender->write(room, payload, track.first_timestamp + unit.timestamp, extensions, now_us);
            const auto sequence = static_cast<std::uint64_t>(room[2] << 8 | room[3]);
            ++counts_.packets;
            counts_.bytes += size;
            send(SrtpSession::Type::rtp, out, size,
                 is_spared ? std::nullopt : std::optional(std::uint64_t{track.clock} << 16 | sequence), now_us);
        }
        ++(unit.is_video ? counts_.video : counts_.audio);
    }
    since_us_ = now_us;
    step_ = Step::holding;
}

/// One for each track, apart, as browsers send them.
void WhipPublisher::send_reports(std::int64_t now_us, Outbox& out) {
    reported_us_ = now_us;
    for (auto& track : tracks_) {
        if (!(&track == &tracks_[1] ? plan_.clip->video != 0 : plan_.clip->audio != 0)) continue;
        const auto media_us = now_us - connected_us_;
        const auto ticks = rescale(media_us, {1, 1'000'000}, {1, static_cast<std::int32_t>(track.clock)});
        Bytes rtcp;
        rtp::append(rtcp, rtp::Report{track.ssrc,
                                      track.sender->info(plan_.unix_offset_us + now_us,
                                                         track.first_timestamp + static_cast<std::uint32_t>(ticks)),
                                      {}});
        rtp::append(rtcp, rtp::SourceName{track.ssrc, "load"});
        std::copy(rtcp.begin(), rtcp.end(), out.room().begin());
        send(SrtpSession::Type::rtcp, out, rtcp.size(), std::nullopt, now_us);
    }
}

void WhipPublisher::work(std::int64_t now_us, Outbox& out) {
    if (step_ == Step::idle || step_ == Step::over) return;
    if (step_ < Step::watching && now_us - began_us_ > setup_limit_us)
        throw std::runtime_error("no connection within 20 s");
    if ((step_ == Step::asking || step_ == Step::leaving) &&
        answer_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
        const auto answer = answer_.get();
        if (step_ == Step::asking)
            answered(answer, now_us);
        else if (answer.status == 200)
            return abandon({});
        else
            throw std::runtime_error("DELETE: HTTP " + std::to_string(answer.status));
    }
    if (socket_ < 0) return;
    receive(now_us, out);
    if (now_us - checked_us_ >= (step_ == Step::checking ? check_interval_us : consent_interval_us)) check(now_us);
    if (step_ == Step::securing && now_us - dtls_us_ >= dtls_interval_us) {
        dtls_us_ = now_us;
        dtls_->tick();
        look_at_dtls(now_us);
    }
    if (step_ == Step::sending) send_due(now_us, out);
    if ((step_ == Step::sending || step_ == Step::holding) && plan_.media_us != 0 &&
        now_us - reported_us_ >= report_interval_us)
        send_reports(now_us, out);
    if (step_ == Step::holding && now_us - since_us_ >= plan_.hold_us) leave();
    while (const auto datagram = there_.take(now_us)) ::send(socket_, datagram->data(), datagram->size(), 0);
    counts_.refused += out.flush(socket_);
}

void WhipPublisher::leave() {
    step_ = Step::leaving;
    answer_ = ask("DELETE", location_, {}, {});
}

void WhipPublisher::abandon(std::string why) {
    failure_ = std::move(why);
    step_ = Step::over;
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

}  // namespace tapedeck::load
