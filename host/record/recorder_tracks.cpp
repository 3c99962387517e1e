// The part of Recorder that decides how each track goes into the file in hand: as it is, converted, joined late.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "record/keys.hpp"
#include "record/recorder.hpp"

namespace tapedeck::host {

void Recorder::convert(Timed timed) {
    meet(timed.packet.spec);
    std::vector<Timed> out = std::exchange(converted_, {});  // what is carried comes here again
    if (converter_.is_idle()) {
        out.push_back(std::move(timed));
    } else {
        if (!converter_.fits(timed)) {
            seen_[timed.packet.view.track] = timed.packet.spec;
            choose();
        }
        try {
            converter_.push(std::move(timed), out);
        } catch (const Error& e) {
            count_error(e);
        }
    }
    pass_on(out);
    converted_ = std::move(out);
}

/// Writes them. From where the conversion changed, what has its source still goes through the new one.
void Recorder::pass_on(std::vector<Timed>& converted) {
    bool changed = false;
    for (Timed& one : converted) {
        changed = changed || !write(one);
        if (changed && one.source == nullptr) carried_.push_back(std::move(one));
    }
    converted.clear();
    if (carried_.empty()) return;
    std::vector<Timed> again = std::exchange(carried_, {});
    std::ranges::stable_sort(again, {}, &Timed::order_us);
    for (Timed& one : again) convert(std::move(one));
}

/// A track that came late goes on in the file in hand where all tracks together still belong into its container, as
/// they are or converted. Else its first packet to be written begins a new file.
void Recorder::meet(const TrackSpec* spec) {
    const std::uint32_t index = spec->track.index;
    if (state_ != State::Recording || cut_wanted_) return;
    if (segment_->has(index) || converter_.converts(index) || is_refused(index)) return;
    seen_[index] = spec;
    if (parts_.policy.choose(tracks(), checked_.get()).writer->id != segment_->facts().writer) return;
    choose();
    if (!converter_.converts(index) && !is_refused(index)) join(spec);
}

/// False: the file in hand cannot take it.
bool Recorder::join(const TrackSpec* spec) {
    try {
        if (!segment_->join(spec)) {
            doubtful_tracks_.push_back(spec);
            return false;
        }
        log::info("{}: {} of codec {} came late and goes into the same file", label(), kind_name(spec->track.kind),
                  codec_name(spec->track.codec));
        if (spec->track.kind == TD_VIDEO) await_key_ = true;
    } catch (const Error& e) {
        log::warning("{}: {}; this track is left out of the file", label(), e.what());
        refused_tracks_.push_back(spec->track.index);
        doubtful_tracks_.push_back(spec);
    }
    return true;
}

bool Recorder::is_refused(std::uint32_t track) const {
    return std::ranges::find(refused_tracks_, track) != refused_tracks_.end();
}

/// New parameters of a track: the container takes them, or sound becomes what the file has.
bool Recorder::goes_on(const Timed& timed) {
    const TrackSpec* spec = timed.packet.spec;
    if (settings_.text(record_codec_change, checked_.get()) == "split") return false;
    try {
        if (segment_->change(spec)) return true;
    } catch (const Error& e) {
        count_error(e);
        return true;
    }
    if (spec->track.kind != TD_AUDIO || timed.source != nullptr || cut_wanted_) return false;
    const TrackSpec& there = *segment_->spec(spec->track.index);
    const std::uint32_t codec = there.track.codec;
    const Extension* transform = parts_.policy.transform(*spec, codec, checked_.get());
    if (transform == nullptr || !converter_.join({spec, codec, transform}, checked_, there)) return false;
    log::info("{}: its sound changed, and is converted to go on in this file", label());
    return true;
}

/// What the transforms and the order held back goes to the file that ends; new settings come too late for it.
void Recorder::flush_converter() {
    restart_wanted_ = false;
    do {
        std::vector<Timed> out;
        converter_.finish(out);
        pass_on(out);
    } while (!converter_.is_idle());
}

/// What the transforms made of the sound before this instant ends the file. What follows it goes, as it came in,
/// through the next conversion.
void Recorder::end_conversion(std::int64_t at_us) {
    std::vector<Timed> made;
    converter_.end(at_us, made, carried_);
    for (const Timed& one : made) {
        const std::uint32_t track = one.packet.view.track;
        if (!segment_->has(track) || segment_->spec(track) != one.packet.spec) continue;
        try {
            segment_->write(one);
        } catch (const Error& e) {
            log::error("{}: {}", label(), e.what());
        }
    }
}

}  // namespace tapedeck::host
