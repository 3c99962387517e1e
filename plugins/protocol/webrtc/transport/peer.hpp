// One peer from its first check to its goodbye: ICE, then DTLS, then SRTP.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "tapedeck/context.hpp"
#include "webrtc/transport/dtls.hpp"
#include "webrtc/transport/ice.hpp"
#include "webrtc/transport/srtp.hpp"

namespace tapedeck::webrtc {

/// One datagram in a block of host memory. Valid during the call; who calls `keep` may hold `packet` as long as the
/// Buffer it gives.
class Arrival {
public:
    Arrival(std::span<std::uint8_t> bytes, Time time, const Buffer& block, bool& is_kept)
        : packet(bytes), at(time), block_(&block), is_kept_(&is_kept) {}

    Buffer keep() const {
        *is_kept_ = true;
        return *block_;
    }

    std::span<std::uint8_t> packet;
    Time at;

private:
    const Buffer* block_;
    bool* is_kept_;
};

class Peer;

/// What becomes of a peer. Called on the peer's thread. `failed` or `ended` is the last call.
class PeerEvents {
public:
    virtual ~PeerEvents() = default;
    /// Packets may be sent, from within any of these calls. The peer is there until the last one.
    virtual void connected(Peer& peer) = 0;
    /// About ten times a second from then on, and soon after `Peer::tick_soon`.
    virtual void ticked(Time /*now*/) {}
    /// The text that the WebSDK knows: "Failed by ICE timeout", "Failed by DTLS error", "Failed by DTLS fingerprint
    /// error" or "Failed by ICE keep alive".
    virtual void failed(std::string_view reason) = 0;
    /// The peer said goodbye, or was removed.
    virtual void ended() = 0;
    /// Decrypted, each once, in the order of arrival.
    virtual void rtp(const Arrival& packet) = 0;
    virtual void rtcp(const Arrival& packet) = 0;
    /// After `Transport::wake`, also before it is connected.
    virtual void woken() {}
    /// What came in one record of DTLS: SCTP, where data channels were agreed upon.
    virtual void data(ByteSpan /*bytes*/, Time /*at*/) {}
};

/// Where datagrams leave.
class DatagramOut {
public:
    virtual ~DatagramOut() = default;
    /// At least 1500 bytes to write the next datagram into; until the next call of either.
    virtual std::span<std::uint8_t> room() = 0;
    virtual void commit(const Pair& to, std::size_t size) = 0;
};

struct PeerTimeouts {
    Time ice = std::chrono::seconds(15);      // until a pair is nominated
    Time dtls = std::chrono::seconds(15);     // from then until DTLS is up
    Time consent = std::chrono::seconds(30);  // without a check (RFC 7675)
};

struct PeerConfig {
    IceCredentials local;
    std::string remote_ufrag;
    DtlsRole role = DtlsRole::server;
    Fingerprint remote_fingerprint;
    PeerTimeouts timeouts{};
    bool is_player = false;  // lives on one of the players' threads
};

/// Lives on one thread and stays where it is made. Takes datagrams from verified pairs only.
class Peer {
public:
    enum class State : std::uint8_t { checking, securing, connected, failed, ended };

    /// `events` and `out` are borrowed.
    Peer(PeerConfig config, std::shared_ptr<DtlsIdentity> identity, PeerEvents& events, DatagramOut& out, Time now);

    /// A STUN request that names this peer's ufrag. Answers it when it is verified or `may_refuse`; what `gained` and
    /// `lost` say is for whoever finds peers by their pairs.
    IceLite::Outcome check(const stun::Message& request, const Pair& via, Time now, bool may_refuse);
    /// Anything else, told apart by its first byte (RFC 7983).
    void receive(const Pair& via, const Arrival& datagram);
    /// Call about ten times a second.
    void tick(Time now);

    /// Whether it was sent: the peer is connected, and a plain packet has at most 1400 bytes.
    bool send_rtp(ByteSpan packet) { return send(SrtpSession::Type::rtp, packet); }
    bool send_rtcp(ByteSpan packet) { return send(SrtpSession::Type::rtcp, packet); }
    /// At most 1400 bytes, as a record of DTLS.
    bool send_data(ByteSpan bytes) { return state_ == State::connected && dtls_->send(bytes); }
    /// `ticked` comes 10 ms from now, once. From within a call of PeerEvents or `with`.
    void tick_soon() { wants_tick_ = true; }
    /// Whether that was asked for since the last call.
    bool takes_wish() { return std::exchange(wants_tick_, false); }
    /// Whether the pair is its own: a check or a genuine packet came over it not long ago. One that is gone without a
    /// word leaves its port to others.
    bool holds(const Pair& pair, Time now) const {
        constexpr Time long_ago = std::chrono::seconds(10);
        auto last = ice_.last_check(pair);
        if (last && heard_via_ == pair) last = std::max(*last, heard_at_);
        return last && now - *last < std::min(long_ago, config_.timeouts.consent);
    }
    /// The pair is no more: its connection is closed, or it is another peer's.
    void forget(const Pair& pair) { ice_.forget(pair); }
    /// Says goodbye. No packet comes afterwards, only `ended`.
    void close();

    State state() const { return state_; }
    bool is_over() const { return state_ >= State::failed; }
    const IceLite& ice() const { return ice_; }
    /// Why DTLS failed, for the log.
    const std::string& why() const { return why_; }
    SrtpSession::Counters counters() const { return srtp_ ? srtp_->counters() : SrtpSession::Counters{}; }

private:
    bool send(SrtpSession::Type type, ByteSpan packet);
    void take_data(ByteSpan bytes);
    void send_dtls(ByteSpan datagram);
    void look_at_dtls();
    void fail(std::string_view reason);

    PeerConfig config_;
    std::shared_ptr<DtlsIdentity> identity_;
    PeerEvents& events_;
    DatagramOut& out_;
    IceLite ice_;
    std::unique_ptr<DtlsSession> dtls_;  // from the first verified pair on
    std::optional<SrtpSession> srtp_;    // when DTLS is up
    Pair via_;                           // of the last DTLS datagram or check; for answers while no pair is nominated
    State state_ = State::checking;
    Time since_;      // of the state
    Pair heard_via_;  // of the last genuine packet, which came at `heard_at_`
    Time heard_at_{};
    bool wants_tick_ = false;
    Time at_{};  // when the datagram came that DTLS has in hand
    std::string why_;
};

}  // namespace tapedeck::webrtc
