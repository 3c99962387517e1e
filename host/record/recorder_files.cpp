// The half of Recorder that decides which packets go into which file.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "plugin/writer.hpp"
#include "record/access_unit.hpp"
#include "record/keys.hpp"
#include "record/recorder.hpp"

namespace tapedeck::host {

Recording Recorder::facts() {
    Recording facts = plan(parts_.policy, first_->info(), tracks(), checked_.get());
    facts.options = options_;
    facts.checked = checked_;
    facts.segment = rotation_.is_on() || segments_ > 0 ? segments_ + 1 : 0;
    return facts;
}

Recording Recorder::plan(const Policy& policy, const StreamInfo& info, const std::vector<const TrackSpec*>& tracks,
                         const td_options* options) {
    Recording facts;
    facts.stream = info.name;
    facts.protocol = info.protocol;
    facts.media_session = info.media_session;
    facts.session = info.session;
    facts.login = info.login;
    try {
        const Policy::Choice choice = policy.choose(tracks, options);
        facts.extension = WriterFacts(*choice.writer).extension;
        for (const Rendition& one : choice.tracks) {
            if (one.source->track.kind == TD_DATA) continue;
            std::string& codec = one.source->track.kind == TD_VIDEO ? facts.video_codec : facts.audio_codec;
            if (codec.empty()) codec = codec_name(one.codec);
        }
    } catch (const Error&) {  // not announced yet
        facts.extension = "mp4";
    }
    return facts;
}

Opening::Outlook Recorder::outlook() const {
    const std::uint32_t expects = stream_->info().expects;
    const auto tracks = stream_->tracks();
    const bool announced = std::ranges::any_of(tracks, [](auto* t) { return t->track.kind == TD_VIDEO; });
    return {.video_comes = announced || (expects & 1u << TD_VIDEO) != 0,
            .only_audio_comes = expects != 0,
            .most_audio = static_cast<std::size_t>(settings_.integer(record_audio_buffer_max_size))};
}

void Recorder::await_start(Timed timed) {
    const std::uint32_t track = timed.packet.view.track;
    if (auto beginning = opening_.take(std::move(timed), outlook())) return begin_file(*beginning);
    if (!opening_.skips_video()) return;
    if (!std::exchange(told_waiting_, true)) log::info("{}: waiting for key frame", label());
    stream_->request_key(track);
}

void Recorder::begin_file(const Opening::Beginning& beginning) {
    parts_.delivery.require_free_name(facts());
    std::vector<Timed> of_before;
    converter_.finish(of_before);  // after a pause; encoders begin anew
    const Policy::Choice choice = choose();
    std::vector<Timed> packets;
    for (const Timed& timed : beginning.packets) {
        try {
            converter_.push(timed, packets);
        } catch (const Error& e) {  // the file has not begun, and need not begin with this
            log::warning("{}: {}", label(), e.what());
        }
    }
    open_segment(choice, beginning.origin_us);
    pass_on(packets);
}

/// The stream ends before its file began.
void Recorder::record_what_came() {
    Opening::Outlook known = outlook();
    const auto tracks = stream_->tracks();  // what was promised and did not come no longer counts
    known.video_comes = std::ranges::any_of(tracks, [](auto* t) { return t->track.kind == TD_VIDEO; });
    if (auto beginning = opening_.end(known)) return begin_file(*beginning);
    if (stream_->packets() != 0) log::warning("{}: no key frame came; nothing was recorded", label());
}

/// The container for what comes now, and the converter set up for it.
Policy::Choice Recorder::choose() {
    const auto all = tracks();
    Policy::Choice choice = parts_.policy.choose(all, checked_.get());
    converter_.adopt(choice.tracks, checked_, choice.left_out);
    std::erase_if(choice.tracks, [&](const Rendition& one) {
        return one.transform != nullptr && !converter_.converts(one.source->track.index);
    });
    for (const std::string& sentence : choice.left_out) {
        log::warning("{}: {}; it is left out of the file", label(), sentence);
    }
    refused_tracks_.clear();
    for (const TrackSpec* spec : all) {
        const std::uint32_t index = spec->track.index;
        const bool taken =
            std::ranges::any_of(choice.tracks, [&](const auto& one) { return one.source->track.index == index; });
        if (!taken) refused_tracks_.push_back(index);
    }
    if (choice.tracks.empty()) throw Error(choice.left_out.front(), TD_UNSUPPORTED);
    return choice;
}

/// Tracks that the writer did not want in a running file are no reason to have none.
Policy::Choice Recorder::without_doubtful(Policy::Choice choice) {
    std::erase_if(choice.tracks, [&](const Rendition& one) {
        const std::uint32_t index = one.source->track.index;
        const bool is_doubtful =
            std::ranges::any_of(doubtful_tracks_, [&](const TrackSpec* spec) { return spec->track.index == index; });
        if (is_doubtful) refused_tracks_.push_back(index);
        return is_doubtful;
    });
    return choice;
}

void Recorder::open_segment(const Policy::Choice& choice, std::int64_t origin_us) {
    std::vector<const TrackSpec*> tracks;
    for (const Rendition& one : choice.tracks) {
        const TrackSpec* spec = one.transform == nullptr ? one.source : converter_.output(one.source->track.index);
        if (spec != nullptr) tracks.push_back(spec);  // else it joins when it comes out
    }
    try {
        segment_ = std::make_unique<Segment>(parts_.delivery, *choice.writer, tracks, facts(), origin_us);
    } catch (const Error& e) {
        if (e.status() != TD_NO_SPACE) {
            const Policy::Choice fewer = without_doubtful(choice);
            if (fewer.tracks.empty() || fewer.tracks.size() == choice.tracks.size()) throw Error(label(), e);
            log::warning("{}: {}; what came late is left out of the file", label(), e.what());
            return open_segment(fewer, origin_us);
        }
        state_ = State::Paused;
        return pause_or_give_up(e.what());
    }
    ++segments_;
    device_ = segment_->device();
    folders_ = {std::filesystem::path(segment_->facts().path).parent_path(), parts_.delivery.home_folder(nullptr)};
    state_ = State::Recording;
    cut_wanted_ = false;
    overdue_told_ = false;
    const bool aligns = rotation_.duration_us != 0 && settings_.boolean(record_rotation_align, checked_.get());
    // A file that begins with a GOP that was kept begins before it is opened.
    limit_us_ = aligns ? until_multiple(rotation_.duration_us, std::max<std::int64_t>(newest_us_ - origin_us, 0))
                       : rotation_.duration_us;
    await_key_ = true;  // which the first picture is, but for a track that came late
    {
        const std::lock_guard lock(mutex_);
        shown_name_ = segment_->name();  // its start is known now
        shown_row_ = segment_->facts().row;
    }
    log::info("{} goes to {}", label(), segment_->facts().path);
}

/// False: the conversion changes with this packet, which is not written.
bool Recorder::write(const Timed& timed) {
    if (state_ != State::Recording) return true;
    const std::uint32_t track = timed.packet.view.track;
    seen_[track] = timed.source != nullptr ? timed.source : timed.packet.spec;
    if (is_refused(track)) return true;
    if (timed.packet.is_video() && !is_whole(timed)) return true;  // no file begins with it either
    if (wants_cut(timed) && cut(timed)) return false;
    if (state_ != State::Recording) return true;
    try {
        if (timed.source == nullptr && converter_.converts(track)) {  // it came before its conversion
            converter_.feed(timed);
            return true;
        }
        if (!segment_->has(track)) return true;
        if (segment_->spec(track) != timed.packet.spec) return true;  // its parameters wait for the next file
        if (timed.packet.is_video() && !is_decodable(timed)) return true;
        segment_->write(timed);
    } catch (const Error& e) {
        count_error(e);
        return true;
    }
    if (!std::exchange(started_told_, true)) parts_.delivery.event_started(segment_->facts());
    return true;
}

bool Recorder::is_whole(const Timed& timed) {
    const td_packet& packet = timed.packet.view;
    const std::uint32_t codec = timed.packet.spec->track.codec;
    if (is_access_unit(codec, {packet.data, packet.data_size}, timed.packet.is_video_key())) return true;
    count_error(Error(fmt::format("at {} ms: {} bytes of video are no access unit of {}", timed.pts_us / 1000,
                                  packet.data_size, codec_name(codec)),
                      TD_MALFORMED));
    return false;
}

/// After an error or a hole nothing can be decoded up to the next key frame (R65); the picture before it stands so
/// long.
bool Recorder::is_decodable(const Timed& timed) {
    const td_packet& packet = timed.packet.view;
    const bool key = timed.packet.is_video_key();
    if ((packet.flags & TD_PACKET_DISCONTINUITY) != 0 && !key) {
        await_key_ = true;
        stream_->request_key(packet.track);
    }
    if (key) await_key_ = false;
    if (await_key_) stream_->request_key(packet.track);
    return !await_key_;
}

bool Recorder::wants_cut(const Timed& timed) {
    const TrackSpec* spec = timed.packet.spec;
    const bool is_stale = (converter_.converts(spec->track.index) || timed.source != nullptr) &&
                          spec != converter_.output(spec->track.index);
    if (is_stale) {
        // It came before its conversion or the transform's newest parameters, or out of a conversion that has ended.
    } else if (segment_->has(spec->track.index)) {
        if (segment_->spec(spec->track.index) != spec && !goes_on(timed)) {
            cut_wanted_ = true;
            if (!timed.packet.is_video_key()) stream_->request_key(0);
        }
    } else if (!cut_wanted_ && (timed.source == nullptr || !join(spec))) {  // late, and without a place here
        cut_wanted_ = true;
        stream_->request_key(0);
    }
    if (state_ != State::Recording) return false;
    check_rotation();
    if (!cut_wanted_ && !restart_wanted_) return false;
    const auto tracks = stream_->tracks();
    const bool has_video = std::ranges::any_of(
        tracks, [&](auto* t) { return t->track.kind == TD_VIDEO && segment_->has(t->track.index); });
    return !has_video || timed.packet.is_video_key();
}

/// A source whose key frame is late is asked for one, when the file is half as large again as it should be.
void Recorder::check_rotation() {
    const std::int64_t time_us = segment_->duration_us();
    const std::uint64_t bytes = segment_->bytes();
    if (limit_us_ != 0 && time_us >= limit_us_) cut_wanted_ = true;
    if (rotation_.bytes != 0 && bytes >= rotation_.bytes) cut_wanted_ = true;
    const bool overdue = (limit_us_ != 0 && time_us >= limit_us_ + limit_us_ / 2) ||
                         (rotation_.bytes != 0 && bytes >= rotation_.bytes + rotation_.bytes / 2);
    if (!overdue) return;
    if (!std::exchange(overdue_told_, true)) {
        log::warning("{}: the next file is due, and no key frame has come; the source is asked for one", label());
    }
    stream_->request_key(0);
}

/// True: the conversion begins anew, and with it what is to be written from this packet on.
bool Recorder::cut(const Timed& timed) {
    const bool is_due = std::exchange(cut_wanted_, false);
    const bool restarts = std::exchange(restart_wanted_, false) && take_next_options();
    if (!restarts && !is_due) return false;
    const bool anew = restarts || !converter_.suits(parts_.policy.choose(tracks(), checked_.get()).tracks);
    if (anew) end_conversion(timed.pts_us);
    close_segment();
    const Policy::Choice choice = choose();
    open_segment(choice, timed.pts_us);
    return anew;
}

/// The settings of a startup over this recording. False: their name is taken, and the recording goes on as it is.
bool Recorder::take_next_options() {
    const OptionTexts before = options_;
    const std::uint32_t count = std::exchange(segments_, 0);
    {
        const std::lock_guard lock(mutex_);
        restarting_ = false;  // of two startups the later counts
        options_ = std::exchange(next_options_, {});
    }
    adopt_options();
    try {
        parts_.delivery.require_free_name(facts());
        return true;
    } catch (const Error& e) {
        log::error("{}; recording goes on with the settings that it had", e.what());
    }
    segments_ = count;
    {
        const std::lock_guard lock(mutex_);
        options_ = before;
    }
    adopt_options();
    return false;
}

}  // namespace tapedeck::host
