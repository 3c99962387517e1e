// Plugins in the test's own process: a writer that remembers its files, and a transform of sound that is late.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "tapedeck/media/aac.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::doubles {

/// A payload that names the millisecond in which it was sent.
inline std::vector<std::uint8_t> payload_of(std::uint32_t kind, std::int32_t ms) {
    std::vector<std::uint8_t> payload(kind == TD_VIDEO ? 9 : 4);
    if (kind == TD_VIDEO) payload[3] = 5;  // one NAL unit
    std::memcpy(payload.data() + payload.size() - 4, &ms, 4);
    return payload;
}
inline std::int32_t sent_at(const td_packet& packet) {
    std::int32_t ms = 0;
    std::memcpy(&ms, packet.data + packet.data_size - 4, 4);
    return ms;
}

/// What was written into one file.
struct Film {
    struct Shot {
        std::int32_t sent_ms;
        std::int64_t pts_us;
    };
    std::map<std::uint32_t, Track> tracks;
    std::map<std::uint32_t, std::vector<Shot>> shots;  ///< by track

    std::vector<std::int32_t> sent(std::uint32_t track) const {
        std::vector<std::int32_t> all;
        if (const auto found = shots.find(track); found != shots.end()) {
            for (const Shot& shot : found->second) all.push_back(shot.sent_ms);
        }
        return all;
    }
    /// All files, in their order; one test at a time.
    static std::deque<Film>& all() {
        static std::deque<Film> films;
        return films;
    }
};

/// H.264 and AAC; takes no new parameters, no late tracks, and no AAC of `too_many_channels`.
class FilmWriter : public Writer {
public:
    static constexpr const char *id = "mp4", *doc = "Remembers", *extension = "mp4", *mime = "video/mp4";
    static constexpr std::array codecs{TD_CODEC_H264, TD_CODEC_AAC};
    static constexpr std::uint32_t too_many_channels = 5;
    explicit FilmWriter(Context) {}
    void open(File file, const td_recording&, std::span<const td_track* const> tracks) override {
        for (const td_track* track : tracks) {
            if (track->channels == too_many_channels) throw Error(TD_UNSUPPORTED, "too many channels");
        }
        file_ = file;
        film_ = &Film::all().emplace_back();
        for (const td_track* track : tracks) film_->tracks.emplace(track->index, Track(*track));
    }
    void write(const td_packet& packet) override {
        const td_rational base = film_->tracks.at(packet.track).track.time_base;
        film_->shots[packet.track].push_back({sent_at(packet), to_us(packet.pts, base)});
        file_.append("x");
    }
    void flush() override {}
    void finish() override {}

private:
    File file_;
    Film* film_ = nullptr;
};

/// Sound into AAC, 40 ms later, packet by packet; a first one is priming.
class LateSound : public Transform {
public:
    static constexpr const char *id = "late_sound", *doc = "For tests";
    static constexpr auto rate_key = Key::integer("rate", "48000").per_recording();
    static constexpr std::array keys{rate_key};
    static constexpr std::int32_t priming = -1;

    static std::int32_t accepts(Context context, const td_track& in, std::uint32_t codec) {
        if (in.kind != TD_AUDIO || codec != TD_CODEC_AAC) return TD_TRANSFORM_NO;
        const bool differs = context.is_set(rate_key) && context.integer(rate_key) != in.sample_rate;
        return in.codec == TD_CODEC_AAC && differs ? TD_TRANSFORM_MUST : TD_TRANSFORM_CAN;
    }
    LateSound(Context context, const td_track& in, const td_track& wanted, Sink out) : in_(in), out_(out) {
        if (in.channels > 2) throw Error(TD_UNSUPPORTED, "too many channels");
        rate_ = wanted.sample_rate != 0 ? wanted.sample_rate : static_cast<std::uint32_t>(context.integer(rate_key));
        Track track(TD_AUDIO, TD_CODEC_AAC, {1, static_cast<std::int32_t>(rate_)}, in.index);
        track.track.sample_rate = rate_;
        track.track.channels = wanted.channels != 0 ? wanted.channels : 2;
        track.config(aac::build_config(2, rate_, track.track.channels));
        out_.track(track);
    }
    void push(const td_packet& packet) override {
        if (packet.changed != nullptr) in_ = Track(*packet.changed);
        const std::int64_t us = to_us(packet.pts, in_.track.time_base);
        if (held_.empty()) give({priming, us - 40'000});
        held_.push_back({sent_at(packet), us});
        while (us - held_.front().pts_us >= 40'000) {
            give(held_.front());
            held_.pop_front();
        }
    }
    void flush() {
        for (const auto& one : held_) give(one);
        held_.clear();
    }

private:
    void give(const Film::Shot& shot) {
        const auto payload = payload_of(TD_AUDIO, shot.sent_ms);
        td_packet packet{};
        packet.size = sizeof packet;
        packet.flags = TD_PACKET_KEY;
        packet.data = payload.data();
        packet.data_size = 4;
        packet.pts = packet.dts = to_ticks(shot.pts_us, {1, static_cast<std::int32_t>(rate_)});
        packet.duration = rate_ / 50;
        packet.wallclock_us = TD_NO_TIME;
        out_.packet(packet);
    }
    Track in_;
    Sink out_;
    std::uint32_t rate_;
    std::deque<Film::Shot> held_;
};

}  // namespace tapedeck::doubles
