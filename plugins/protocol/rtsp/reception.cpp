#include "reception.hpp"

#include <chrono>
#include <cstdlib>
#include <random>
#include <utility>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr std::int64_t report_interval_us = 5'000'000, jump_us = 1'000'000, longest_hold_us = 1'000'000,
                       by_arrival_us = 10'000'000;
constexpr std::size_t most_held_bytes = 4'000'000;

std::int64_t unix_offset_us() {
    using std::chrono::duration_cast, std::chrono::microseconds;
    return duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count() -
           duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<td_rational> time_bases_of(const std::vector<Medium>& media) {
    std::vector<td_rational> bases;
    bases.reserve(media.size());
    for (const auto& medium : media) bases.push_back({1, static_cast<std::int32_t>(medium.setup.clock)});
    return bases;
}

}  // namespace

Reception::Reception(Context context, std::vector<Medium> media, std::int64_t jitter_us, bool returns)
    : media_(std::move(media)),
      returns_(returns),
      time_bases_(time_bases_of(media_)),
      common_time_(time_bases_, returns),
      batch_(context),
      own_ssrc_(std::random_device()() | 1) {
    unix_offset_us_ = unix_offset_us();
    for (auto& medium : media_) {
        medium.setup.jitter.time_us = jitter_us;
        medium.setup.unix_offset_us = unix_offset_us_;
        lines_.push_back({rtp::Receiver(context, medium.setup)});
    }
}

void Reception::begin(const std::vector<std::optional<std::uint32_t>>& rtptimes, std::int64_t now_us) {
    if (rtptimes.size() != lines_.size()) return;
    for (const auto& rtptime : rtptimes)
        if (!rtptime) return;
    for (std::size_t track = 0; track < lines_.size(); ++track) lines_[track].rtptime = rtptimes[track];
    common_time_.begin(now_us + unix_offset_us_);
}

void Reception::rtp(std::size_t track, ByteSpan packet, const Buffer& buffer, std::int64_t now_us) {
    if (track >= lines_.size()) return;
    try {
        auto& line = lines_[track];
        now_us_ = now_us;
        line.receiver.rtp(rtp::parse_packet(packet), buffer, now_us, *this);
        if (line.early_report && line.receiver.ssrc() == line.early_report->ssrc)
            line.receiver.sender_report(*line.early_report->sender, now_us);
        line.early_report.reset();
    } catch (const Malformed&) {
        return;
    }
    ++facts_.packets;
    facts_.last_packet_us = now_us;
    if (media_[track].kind == TD_VIDEO) facts_.last_picture_us = now_us;
}

void Reception::rtcp(std::size_t track, ByteSpan packet, std::int64_t now_us) {
    if (track >= lines_.size()) return;
    try {
        auto& receiver = lines_[track].receiver;
        for (const auto& message : rtp::parse_rtcp(packet)) {
            const auto* report = std::get_if<rtp::Report>(&message);
            if (report == nullptr || !report->sender) continue;
            if (!receiver.ssrc()) lines_[track].early_report = *report;
            if (receiver.ssrc() == report->ssrc) receiver.sender_report(*report->sender, now_us);
        }
    } catch (const Malformed&) {
    }
}

void Reception::give(const Sink& sink, std::int64_t now_us) {
    now_us_ = now_us;
    for (auto& line : lines_) line.receiver.drain(now_us, *this);
    if (holds(now_us)) return;
    hand_over(sink);
    if (now_us - held_since_us_ > by_arrival_us) common_time_.by_arrival(false);
}

bool Reception::holds(std::int64_t now_us) {
    if (!is_held_) return false;
    is_held_ = !common_time_.is_known() && held_bytes_ < most_held_bytes &&
               (held_since_us_ == 0 || now_us - held_since_us_ < longest_hold_us);
    if (!is_held_) common_time_.by_arrival(!common_time_.is_known());
    return is_held_;
}

void Reception::hand_over(const Sink& sink) {
    for (auto& packet : batch_.packets()) common_time_.stamp(packet);
    batch_.give(sink);
}

void Reception::finish(const Sink& sink, std::int64_t now_us) {
    now_us_ = now_us;
    for (auto& line : lines_) line.receiver.finish(now_us, *this);
    if (std::exchange(is_held_, false)) common_time_.by_arrival(!common_time_.is_known());
    hand_over(sink);
}

void Reception::want_key() {
    for (auto& line : lines_) line.receiver.want_key();
}

Bytes Reception::report(std::size_t track, std::int64_t now_us) {
    Bytes bytes;
    auto& line = lines_[track];
    if (!line.receiver.ssrc()) return bytes;
    line.receiver.feedback(bytes, own_ssrc_, now_us);
    if (bytes.empty() && now_us - line.reported_us < report_interval_us) return bytes;
    line.reported_us = now_us;
    rtp::Report report;
    report.ssrc = own_ssrc_;
    if (const auto block = line.receiver.report(now_us)) report.blocks.push_back(*block);
    Bytes compound;
    rtp::append(compound, report);
    rtp::append(compound, rtp::SourceName{own_ssrc_, "tapedeck"});
    compound.insert(compound.end(), bytes.begin(), bytes.end());
    return compound;
}

void Reception::track(const td_track& track) {
    batch_.track(track);
}

void Reception::packet(const td_packet& packet) {
    auto& line = lines_[packet.track];
    auto given = packet;
    const auto pts_us = to_us(packet.pts, time_bases_[packet.track]);
    if (line.ssrc && line.ssrc != line.receiver.ssrc()) common_time_.forget(packet.track);
    line.ssrc = line.receiver.ssrc();
    if (packet.wallclock_us != TD_NO_TIME) common_time_.report(packet.track, packet.wallclock_us, pts_us);
    if (line.is_first) {
        const auto start = line.rtptime ? line.receiver.pts_at(*line.rtptime) : std::nullopt;
        if (start) common_time_.start(packet.track, to_us(*start, time_bases_[packet.track]), pts_us);
        if (returns_) given.flags |= TD_PACKET_DISCONTINUITY;
    } else {
        // What the host repairs is told here: a step that the arrivals do not have.
        const auto step = pts_us - line.last_pts_us, passed = now_us_ - line.last_given_us;
        if (step < -jump_us || (step > jump_us && std::abs(step - passed) > jump_us + passed / 10)) {
            ++facts_.jumps;
            common_time_.doubt();
            facts_.last_jump_us = step;
        }
    }
    line.is_first = false;
    line.last_pts_us = pts_us;
    line.last_given_us = now_us_;
    if (media_[packet.track].kind == TD_VIDEO && (packet.flags & TD_PACKET_KEY) != 0) facts_.last_key_us = now_us_;
    if (is_held_) {
        if (held_since_us_ == 0) held_since_us_ = now_us_;
        held_bytes_ += packet.data_size;
        common_time_.arrive(packet.track, now_us_ + unix_offset_us_, pts_us);
    }
    batch_.packet(given);
}

}  // namespace tapedeck::rtsp
