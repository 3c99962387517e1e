// A client that plays a stream of the host.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "webrtc/media/play_track.hpp"
#include "webrtc/media/session.hpp"

namespace tapedeck::webrtc {

/// Answers when the stream's first packets tell its codecs, or half a second later with all that the client takes. The
/// pictures from the last key frame on are held until the client is connected, and then shown as fast as possible.
class Play : public Session {
public:
    using Session::Session;

    void connected(Peer& peer) override;
    void rtp(const Arrival& /*arrival*/) override {}
    void rtcp(const Arrival& arrival) override;
    void ticked(Time now) override;
    void woken() override { read(); }
    void abandon() override;

private:
    class Viewer;
    void ask(const td_stream_info& info) override;
    void leave(const std::string& reason) override;
    void hold(Subscription subscription);
    void answer();
    void read();
    void take(const td_packet& packet, std::int64_t now_us);
    void catch_up(std::int64_t now_us);
    void learn(const td_track& track);
    PlayTrack* track_of(const td_track& track);
    void send_reports(std::int64_t now_us);
    void handle(const rtp::Message& message, std::int64_t now_us);
    void note_round_trip(const rtp::ReportBlock& block, std::int64_t now_us);
    std::int64_t unix_us(std::int64_t now_us) const { return now_us + unix_offset_us_; }
    std::shared_ptr<Play> self() { return std::static_pointer_cast<Play>(shared_from_this()); }

    Subscription subscription_;
    bool is_answered_ = false;              // on the events' thread
    std::map<std::uint32_t, Track> known_;  // of the stream
    std::map<std::uint32_t, PlayTrack> tracks_;
    Timeline timeline_;
    std::optional<std::int64_t> joined_us_;  // the stream's time then; sound from before is left out
    std::int64_t unix_offset_us_ = 0, last_report_us_ = 0, rtt_us_ = 100'000;
};

}  // namespace tapedeck::webrtc
