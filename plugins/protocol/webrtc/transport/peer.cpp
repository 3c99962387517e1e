#include "webrtc/transport/peer.hpp"

#include <algorithm>

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t longest_packet = 1400;

/// RFC 5761 section 4.
bool is_rtcp(ByteSpan packet) {
    return packet.size() > 1 && packet[1] >= 192 && packet[1] <= 223;
}

}  // namespace

Peer::Peer(PeerConfig config, std::shared_ptr<DtlsIdentity> identity, PeerEvents& events, DatagramOut& out, Time now)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      events_(events),
      out_(out),
      ice_(config_.local, config_.remote_ufrag),
      since_(now) {}

IceLite::Outcome Peer::check(const stun::Message& request, const Pair& via, Time now, bool may_refuse) {
    if (is_over()) return {};
    auto outcome = ice_.check(request, via, now, out_.room());
    if (!outcome.answer.empty() && (outcome.is_verified || may_refuse)) out_.commit(via, outcome.answer.size());
    if (!outcome.is_verified || !ice_.knows(via)) return outcome;
    via_ = via;
    if (!dtls_)
        dtls_ = std::make_unique<DtlsSession>(
            identity_, config_.role, config_.remote_fingerprint, [this](ByteSpan datagram) { send_dtls(datagram); },
            [this](ByteSpan bytes) { take_data(bytes); });
    if (state_ == State::checking && ice_.selected() != nullptr) {
        state_ = State::securing;
        since_ = now;
        if (config_.role == DtlsRole::client) dtls_->start();
        look_at_dtls();
    }
    return outcome;
}

void Peer::receive(const Pair& via, const Arrival& datagram) {
    if (is_over() || datagram.packet.empty() || !ice_.knows(via)) return;
    const auto first = datagram.packet[0];
    if (first >= 20 && first <= 63) {
        via_ = via;
        at_ = datagram.at;
        dtls_->receive(datagram.packet);
        look_at_dtls();
    } else if (first >= 128 && first <= 191 && srtp_) {
        const bool control = is_rtcp(datagram.packet);
        const auto plain =
            srtp_->unprotect(control ? SrtpSession::Type::rtcp : SrtpSession::Type::rtp, datagram.packet);
        if (!plain || state_ != State::connected) return;
        heard_via_ = via;
        heard_at_ = datagram.at;
        auto arrival = datagram;
        arrival.packet = *plain;
        control ? events_.rtcp(arrival) : events_.rtp(arrival);
    }
}

void Peer::tick(Time now) {
    const auto spent = now - since_;
    if (state_ == State::checking && spent >= config_.timeouts.ice) return fail("Failed by ICE timeout");
    if (state_ == State::securing && spent >= config_.timeouts.dtls) {
        why_ = "DTLS did not finish in time";
        return fail("Failed by DTLS error");
    }
    const auto last = std::max(ice_.last_check().value_or(since_), heard_at_);  // some clients check only once
    if (state_ == State::connected && now - last >= config_.timeouts.consent) return fail("Failed by ICE keep alive");
    if (!is_over() && dtls_ && !srtp_) {
        dtls_->tick();
        look_at_dtls();
    }
    if (state_ == State::connected) events_.ticked(now);
}

/// DTLS may be up before a pair is nominated; the peer is connected when both are.
void Peer::look_at_dtls() {
    switch (dtls_->state()) {
        case DtlsSession::State::shaking_hands:
            return;
        case DtlsSession::State::failed:
            why_ = dtls_->why();
            return fail("Failed by DTLS error");
        case DtlsSession::State::wrong_fingerprint:
            why_ = dtls_->why();
            return fail("Failed by DTLS fingerprint error");
        case DtlsSession::State::ended:
            state_ = State::ended;
            return events_.ended();
        case DtlsSession::State::open:
            break;
    }
    if (!srtp_) {
        try {
            srtp_.emplace(dtls_->keys());
        } catch (const Error& e) {
            why_ = e.what();
            return fail("Failed by DTLS error");
        }
    }
    if (state_ != State::securing) return;
    state_ = State::connected;
    events_.connected(*this);
}

void Peer::fail(std::string_view reason) {
    if (is_over()) return;
    state_ = State::failed;
    events_.failed(reason);
}

void Peer::close() {
    if (is_over()) return;
    if (dtls_) dtls_->close();
    state_ = State::ended;
    events_.ended();
}

/// What comes before `connected` is sent again.
void Peer::take_data(ByteSpan bytes) {
    if (state_ == State::connected) events_.data(bytes, at_);
}

void Peer::send_dtls(ByteSpan datagram) {
    const auto room = out_.room();
    if (room.size() < datagram.size()) return;
    std::copy(datagram.begin(), datagram.end(), room.begin());
    const auto* selected = ice_.selected();
    out_.commit(selected != nullptr ? *selected : via_, datagram.size());
}

bool Peer::send(SrtpSession::Type type, ByteSpan packet) {
    const auto* selected = ice_.selected();
    if (state_ != State::connected || selected == nullptr || packet.size() > longest_packet) return false;
    const auto room = out_.room();
    std::copy(packet.begin(), packet.end(), room.begin());
    const auto size = srtp_->protect(type, room, packet.size());
    if (size) out_.commit(*selected, *size);
    return size.has_value();
}

}  // namespace tapedeck::webrtc
