// One WHIP publisher (RFC 9725): offer, ICE, DTLS, then a clip as RTP over a line that may be bad. Or a viewer by WHEP.
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "http.hpp"
#include "line.hpp"
#include "media_clip.hpp"
#include "outbox.hpp"
#include "rtp/sender.hpp"
#include "webrtc/transport/dtls.hpp"
#include "webrtc/transport/ice.hpp"
#include "webrtc/transport/srtp.hpp"

namespace tapedeck::load {

/// What all publishers of a run share; outlives them.
struct WhipPlan {
    bool plays = false;               // until the server says goodbye
    webrtc::Endpoint server;          // its HTTP port
    std::string query, token;         // `record=true`; a bearer token; empty: none
    LineTraits there, back;           // towards the server and from it
    std::int64_t media_us = 0;        // of the clip; 0: none, leave when connected
    std::int64_t hold_us = 600'000;   // between the last unit and the goodbye, for repeats
    std::int64_t unix_offset_us = 0;  // from the publishers' clock to the wall's
    std::shared_ptr<webrtc::DtlsIdentity> identity;
    const MediaClip* clip = nullptr;
};

struct RtpCounts {
    std::uint64_t video = 0, audio = 0;                  // units
    std::uint64_t packets = 0, bytes = 0, repeated = 0;  // a viewer's: received
    std::uint64_t lost = 0;                              // of packets and repeats, on the line to the server
    std::uint64_t nacks = 0, key_requests = 0;
    std::uint64_t refused = 0;  // by the system, when they were sent
};

/// Times are microseconds of one monotonic clock. One thread.
class WhipPublisher {
public:
    WhipPublisher(const WhipPlan& plan, std::string name, std::uint64_t number);
    WhipPublisher(const WhipPublisher&) = delete;
    WhipPublisher& operator=(const WhipPublisher&) = delete;
    ~WhipPublisher();

    /// Offers.
    void begin(std::int64_t now_us);
    /// Takes what came and sends what is due. Every few milliseconds. Throws std::exception when it cannot go on.
    void work(std::int64_t now_us, Outbox& out);
    /// Ends it where it is.
    void abandon(std::string why);

    bool has_begun() const { return step_ != Step::idle; }
    bool is_over() const { return step_ == Step::over; }
    bool is_connected() const { return step_ >= Step::watching; }
    int socket() const { return socket_; }  // -1: not yet
    const std::string& failure() const { return failure_; }
    const RtpCounts& counts() const { return counts_; }
    std::int64_t connected_after_us() const { return connected_us_ - began_us_; }

private:
    enum class Step : std::uint8_t { idle, asking, checking, securing, watching, sending, holding, leaving, over };
    struct Track {
        std::optional<rtp::Sender> sender;
        std::uint32_t ssrc = 0, clock = 0, first_timestamp = 0;
        std::uint8_t transport_cc = 0;  // header extension
    };

    std::string offer() const;
    void answered(const HttpAnswer& answer, std::int64_t now_us);
    void connect_to(const webrtc::Endpoint& server);
    void check(std::int64_t now_us);
    void answer(const webrtc::stun::Message& request, std::int64_t now_us);
    void receive(std::int64_t now_us, Outbox& out);
    void take(std::span<std::uint8_t> datagram, std::int64_t now_us, Outbox& out);
    void look_at_dtls(std::int64_t now_us);
    void count(ByteSpan rtp);
    void control(ByteSpan rtcp, std::int64_t now_us, Outbox& out);
    void repeat(Track& track, std::uint16_t sequence, std::int64_t now_us, Outbox& out);
    void send_due(std::int64_t now_us, Outbox& out);
    void send_reports(std::int64_t now_us, Outbox& out);
    void leave();
    rtp::Extension transport_number();
    /// Protects the packet in the outbox's room and sends it, unless it is lost. No number: never lost.
    void send(webrtc::SrtpSession::Type type, Outbox& out, std::size_t size, std::optional<std::uint64_t> number,
              std::int64_t now_us);
    void send_plainly(ByteSpan datagram, std::int64_t now_us);
    std::future<HttpAnswer> ask(const std::string& method, const std::string& path, std::string headers,
                                std::string body) const;

    const WhipPlan& plan_;
    const std::string name_;
    Step step_ = Step::idle;
    std::int64_t since_us_ = 0, began_us_ = 0, connected_us_ = 0;
    std::future<HttpAnswer> answer_;
    std::string location_, failure_;
    webrtc::IceCredentials local_ = webrtc::IceCredentials::make(), remote_;
    webrtc::Endpoint server_;  // of media
    int socket_ = -1;
    std::int64_t checked_us_ = 0, dtls_us_ = 0, reported_us_ = 0;
    std::unique_ptr<webrtc::DtlsSession> dtls_;
    std::optional<webrtc::SrtpSession> srtp_;
    Line there_, back_;
    std::uint64_t received_ = 0;   // datagrams of RTCP
    std::array<Track, 2> tracks_;  // audio, video
    std::uint16_t transport_number_ = 0;
    std::array<std::uint8_t, 2> transport_bytes_{};
    std::size_t next_ = 0;  // unit of the clip
    RtpCounts counts_;
};

}  // namespace tapedeck::load
