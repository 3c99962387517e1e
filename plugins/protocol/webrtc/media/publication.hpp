// A client that publishes: its packets become a stream of the host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "rtp/bandwidth.hpp"
#include "rtp/batch.hpp"
#include "rtp/receiver.hpp"
#include "tapedeck/media/unwrap.hpp"
#include "webrtc/data/data_channels.hpp"
#include "webrtc/data/message_track.hpp"
#include "webrtc/media/session.hpp"

namespace tapedeck::webrtc {

/// Packets are given to the host at each picture's end and each 10 ms, on the peer's thread.
class Publication : public Session, public Publisher {
public:
    Publication(std::shared_ptr<Core> core, SessionRequest request, std::shared_ptr<SessionEvents> events);

    void connected(Peer& peer) override;
    void rtp(const Arrival& arrival) override;
    void rtcp(const Arrival& arrival) override;
    void data(ByteSpan bytes, Time at) override;
    void ticked(Time now) override;

    void opened(Sink sink) override;
    void refused(const Error& reason) override;
    void request_key(std::uint32_t track) override;
    void kick(std::string_view reason) override { stop(false, reason); }
    void released(const td_recording* recording) override;

private:
    void ask(const td_stream_info& info) override;
    void leave(const std::string& reason) override;
    rtp::Receiver* receiver_of(const rtp::Packet& packet);
    void measure(const rtp::Packet& packet, const rtp::Receiver& receiver, std::int64_t now_us);
    void append_limit();
    void take(const ChannelMessage& message);
    void work(std::int64_t now_us);
    void come_back();
    void give();
    void send_feedback(std::int64_t now_us);
    void append_report(std::int64_t now_us);
    void send();

    Sink sink_;
    std::vector<rtp::Receiver> receivers_;    // by number of track
    std::optional<std::uint16_t> sctp_port_;  // the client's
    std::unique_ptr<DataChannels> channels_;  // when they were agreed upon
    std::optional<MessageTrack> messages_;    // from the first one on
    rtp::Batch batch_;
    std::uint32_t own_ssrc_ = 1;
    std::optional<std::uint8_t> transport_cc_, send_time_;  // header extensions
    bool has_remb_ = false, has_reduced_size_ = true;
    std::optional<rtp::Bandwidth> bandwidth_;  // of a sender that wants REMB
    Unwrapper<24> send_times_;
    Unwrapper<32> timestamps_;
    double told_rate_ = 0;
    rtp::TransportFeedbackBuilder arrivals_;
    std::int64_t last_rtp_us_ = 0, last_work_us_ = 0, last_arrivals_us_ = 0, last_report_us_ = 0;
    Bytes rtcp_;
};

}  // namespace tapedeck::webrtc
