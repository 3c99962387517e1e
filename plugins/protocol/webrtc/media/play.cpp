#include "webrtc/media/play.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <utility>

#include "rtp/sender_clock.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::chrono::milliseconds longest_wait{500};  // for the stream's first packets
constexpr std::int64_t sender_report_interval_us = 1'000'000;

PlaySetup play_setup(const sdp::Choice& choice, const sdp::Chosen& chosen) {
    std::random_device random;
    PlaySetup setup;
    setup.codec = chosen.id;
    setup.clock = chosen.codec.clock;
    setup.first_timestamp = random();
    setup.sender.ssrc = choice.ssrc;
    setup.sender.payload_type = chosen.codec.payload_type;
    setup.sender.first_sequence = static_cast<std::uint16_t>(random() & 0x7fff);
    setup.sender.first_rtx_sequence = static_cast<std::uint16_t>(random() & 0x7fff);
    if (chosen.rtx && choice.rtx_ssrc != 0) {
        setup.sender.rtx_ssrc = choice.rtx_ssrc;
        setup.sender.rtx_payload_type = chosen.rtx->payload_type;
    }
    return setup;
}

}  // namespace

/// What the host tells; kept by it.
class Play::Viewer : public Subscriber {
public:
    explicit Viewer(std::shared_ptr<Play> play) : play_(std::move(play)) {}

    void opened(Subscription subscription) override {
        if (!play_->core_->events.post([play = play_, subscription] { play->hold(subscription); }))
            subscription.close();
    }
    void refused(const Error& reason) override {
        const char* text = "Failed by error";
        if (reason.status() == TD_NOT_FOUND) text = "Stream not found";
        if (reason.status() == TD_DENIED) text = "Restricted access";
        if (reason.status() == TD_EXISTS) text = "MediaSessionId is already in use";
        if (reason.status() == TD_UNSUPPORTED) text = "No common codecs";
        play_->stop(true, text);
    }
    void ready() override {
        if (!is_told_.exchange(true)) play_->core_->events.post([play = play_] { play->answer(); });
        play_->wake();
    }
    void ended(std::string_view reason) override {
        play_->stop(false, reason);
        play_->core_->events.post([play = play_] { play->answer(); });  // closes it, where that was not done yet
    }
    void released() override { play_->over({}); }

private:
    std::shared_ptr<Play> play_;
    std::atomic<bool> is_told_ = false;
};

void Play::ask(const td_stream_info& info) {
    std::random_device random;
    for (auto& choice : choices_) {
        if (choice.codecs.empty()) continue;
        choice.ssrc = random() | 1;
        if (choice.codecs.front().rtx) choice.rtx_ssrc = choice.ssrc + 1;
    }
    unix_offset_us_ = unix_offset_us();
    subscribe(core_->context, info, std::make_shared<Viewer>(self()));
}

/// On the events' thread.
void Play::hold(Subscription subscription) {
    subscription_ = subscription;
    if (!reason().empty()) return answer();
    core_->events.post([play = self()] { play->answer(); }, longest_wait);
}

/// On the events' thread. Nobody else reads before the peer is expected.
void Play::answer() {
    if (std::exchange(is_answered_, true)) return;
    if (reason().empty()) {
        const auto packets = subscription_.read();
        for (const auto* packet : packets)
            if (packet->changed != nullptr) learn(*packet->changed);
        for (const auto& [index, track] : known_)
            for (std::size_t i = 0; i < choices_.size(); ++i)
                if (offer_.lines[i].kind == (track.track.kind == TD_VIDEO ? "video" : "audio"))
                    sdp::narrow(choices_[i], track.track.codec);
        for (const auto* packet : packets) take(*packet, 0);
    }
    if (!join()) return subscription_.close();
    wake();  // for what came meanwhile
}

void Play::connected(Peer& peer) {
    read();
    Session::connected(peer);
    for (const auto& [index, track] : known_) {
        const auto found = tracks_.find(index);
        const bool has_key = found != tracks_.end() && !found->second.waits_for_key();
        if (track.track.kind == TD_VIDEO && !has_key) subscription_.request_key(index);
    }
    const auto now_us = monotonic_us();
    catch_up(now_us);
    joined_us_ = timeline_.stream_us(now_us);
}

void Play::abandon() {
    if (subscription_) answer();  // gives it back, where it was not answered yet
    Session::abandon();
}

void Play::leave(const std::string& /*reason*/) {
    subscription_.close();
}

/// One SSRC stays the same track's, whatever its codec is.
void Play::learn(const td_track& track) {
    known_.insert_or_assign(track.index, Track(track));
    const auto found = tracks_.find(track.index);
    if (found == tracks_.end()) return;
    auto& played = found->second;
    if (played.track().track.codec == track.codec) return played.change(track);
    played.interrupt();
    for (const auto& choice : choices_)
        for (const auto& chosen : choice.codecs)
            if (choice.ssrc == played.ssrc() && chosen.id == track.codec)
                return played.change(track, play_setup(choice, chosen));
}

/// Null where the client cannot take it, or takes another of its kind.
PlayTrack* Play::track_of(const td_track& track) {
    const auto found = tracks_.find(track.index);
    if (found != tracks_.end()) return found->second.track().track.codec == track.codec ? &found->second : nullptr;
    const auto datagram = [this](ByteSpan packet) {
        if (peer_ != nullptr) peer_->send_rtp(packet);
    };
    for (const auto& choice : choices_) {
        const auto is_it = [&](const sdp::Chosen& one) { return one.id == track.codec; };
        const auto chosen = std::find_if(choice.codecs.begin(), choice.codecs.end(), is_it);
        const auto is_taken = [&](const auto& entry) { return entry.second.ssrc() == choice.ssrc; };
        if (chosen == choice.codecs.end() || std::any_of(tracks_.begin(), tracks_.end(), is_taken)) continue;
        return &tracks_.try_emplace(track.index, core_->context, play_setup(choice, *chosen), track, datagram)
                    .first->second;
    }
    return nullptr;
}

void Play::read() {
    const auto now_us = monotonic_us();
    for (const auto* packet : subscription_.read()) take(*packet, now_us);
}

void Play::take(const td_packet& packet, std::int64_t now_us) {
    if (packet.changed != nullptr) learn(*packet.changed);
    const auto known = known_.find(packet.track);
    if (known == known_.end()) return;
    auto* track = track_of(known->second);
    if (track == nullptr) return;
    if (peer_ == nullptr) return track->hold(packet);
    const auto& played = track->track().track;
    if (played.kind == TD_AUDIO && joined_us_ && to_us(packet.pts, played.time_base) < *joined_us_) return;
    const bool was_waiting = track->waits_for_key();
    track->send(packet, timeline_, now_us);
    if (track->waits_for_key() && (!was_waiting || packet.changed != nullptr)) subscription_.request_key(packet.track);
}

void Play::catch_up(std::int64_t now_us) {
    for (auto& [index, track] : tracks_)
        if (track.catch_up(timeline_, now_us)) peer_->tick_soon();
}

void Play::ticked(Time now) {
    catch_up(now.count());
    if (now.count() - last_report_us_ >= sender_report_interval_us) send_reports(now.count());
}

void Play::send_reports(std::int64_t now_us) {
    for (const auto& [index, track] : tracks_) {
        const auto report = track.report(now_us, unix_us(now_us));
        if (!report || peer_ == nullptr) continue;
        last_report_us_ = now_us;
        Bytes compound;
        rtp::append(compound, *report);
        rtp::append(compound, rtp::SourceName{track.ssrc(), stream_name_});
        peer_->send_rtcp(compound);
    }
}

void Play::rtcp(const Arrival& arrival) {
    try {
        for (const auto& message : rtp::parse_rtcp(arrival.packet)) handle(message, arrival.at.count());
    } catch (const Malformed&) {
        return;
    }
}

void Play::handle(const rtp::Message& message, std::int64_t now_us) {
    const auto with = [&](std::uint32_t ssrc, const auto& work) {
        for (auto& [index, track] : tracks_)
            if (track.ssrc() == ssrc) work(index, track);
    };
    const auto request = [&](std::uint32_t index, const PlayTrack&) { subscription_.request_key(index); };
    if (const auto* nack = std::get_if<rtp::Nack>(&message))
        with(nack->media, [&](std::uint32_t, PlayTrack& track) { track.repeat(nack->lost, now_us, rtt_us_); });
    else if (const auto* loss = std::get_if<rtp::PictureLoss>(&message))
        with(loss->media, request);
    else if (const auto* intra = std::get_if<rtp::FullIntra>(&message))
        with(intra->media, request);
    else if (const auto* report = std::get_if<rtp::Report>(&message))
        for (const auto& block : report->blocks) note_round_trip(block, now_us);
}

/// RFC 3550 section 6.4.1.
void Play::note_round_trip(const rtp::ReportBlock& block, std::int64_t now_us) {
    if (block.last_sr == 0) return;
    const auto middle = static_cast<std::uint32_t>(rtp::ntp(unix_us(now_us)) >> 16);
    const auto round_trip = static_cast<std::int32_t>(middle - block.last_sr - block.since_sr);
    if (round_trip < 0) return;
    rtt_us_ = std::clamp<std::int64_t>(std::int64_t{round_trip} * 1'000'000 / 65536, 1'000, 2'000'000);
}

}  // namespace tapedeck::webrtc
