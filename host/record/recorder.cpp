#include "record/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "plugin/writer.hpp"
#include "record/keys.hpp"

namespace tapedeck::host {
namespace {

constexpr auto resume_pause = std::chrono::seconds(10);  ///< what a full disk gets to become emptier

metrics::Value& dropped_packets() {
    return metrics::counter("tapedeck_dropped_packets", "reason=\"disk slow\"",
                            "Packets that were not recorded because the disk could not follow");
}
metrics::Value& errors() {
    return metrics::counter("tapedeck_record_errors", "", "Errors while recording");
}
metrics::Value& running() {
    return metrics::gauge("tapedeck_recordings", "", "Streams that are recorded now");
}

}  // namespace

Recorder::Recorder(Parts parts, std::shared_ptr<Stream> stream, OptionTexts options,
                   std::function<void(Recorder&)> ended)
    : parts_(parts),
      settings_(parts.settings, ""),
      stream_(std::move(stream)),
      ended_(std::move(ended)),
      options_(std::move(options)) {
    running().fetch_add(1);
}

Recorder::~Recorder() {
    running().fetch_sub(1);
}

void Recorder::begin() {
    const Feed::Limits limits{.queue_bytes = static_cast<std::size_t>(settings_.bytes(record_queue))};
    auto self = weak_from_this();
    auto feed = stream_->subscribe(limits, [self, pool = &parts_.pool](Feed::Urgency urgency) {
        if (const auto recorder = self.lock()) pool->wake(recorder, urgency == Feed::Urgency::Now);
    });
    {
        const std::lock_guard lock(mutex_);
        feed_ = std::move(feed);
    }
    parts_.pool.wake(shared_from_this());  // for the GOP that was kept, and what came since
}

bool Recorder::restart(OptionTexts options) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || state_ == State::Over) return false;
        restarting_ = true;
        next_options_ = std::move(options);
    }
    parts_.pool.wake(shared_from_this());
    return true;
}

void Recorder::stop(Done done) {
    bool over = false;
    {
        const std::lock_guard lock(mutex_);
        over = settled_;
        stopping_ = true;
        if (!over) stop_done_.push_back(std::exchange(done, nullptr));
    }
    if (over) return done(nullptr);
    parts_.pool.wake(shared_from_this());
}

std::string Recorder::file_name() const {
    const std::lock_guard lock(mutex_);
    return shown_name_;
}

std::string Recorder::label() const {
    return fmt::format("recording of '{}'", printable(stream_->info().name));
}

void Recorder::run() {
    try {
        work();
    } catch (const std::exception& e) {  // a fault of this recording ends only this recording
        give_up(e.what());
    }
}

void Recorder::work() {
    std::shared_ptr<Feed> feed;
    bool stopping = false;
    {
        const std::lock_guard lock(mutex_);
        feed = feed_;
        stopping = stopping_;
        if (std::exchange(restarting_, false)) restart_wanted_ = true;
    }
    if (feed == nullptr) return;  // `begin` has not come to its end; it wakes once more
    if (state_ == State::Over) {
        feed->take(batch_);
        batch_.clear();
        return;
    }
    if (checked_ == nullptr || (restart_wanted_ && state_ == State::Waiting)) {
        if (std::exchange(restart_wanted_, false)) {
            const std::lock_guard lock(mutex_);
            options_ = std::exchange(next_options_, {});
            segments_ = 0;
        }
        adopt_options();
        const std::string name = parts_.delivery.provisional_name(facts());
        const std::lock_guard lock(mutex_);
        shown_name_ = name;
    }
    if (restart_wanted_) stream_->request_key(0);

    const bool ended = feed->take(batch_);
    for (Packet& packet : batch_) interleaver_.push(std::move(packet));
    batch_.clear();
    if (ended || stopping) {
        interleaver_.finish(ready_);
    } else {
        interleaver_.drain(ready_);
    }
    for (Timed& timed : ready_) handle(std::move(timed));
    ready_.clear();
    report_drops(*feed);
    if (state_ == State::Over) return;
    if (ended || stopping) {
        if (state_ == State::Waiting) record_what_came();
        flush_converter();
        finish();
        return;
    }
    if (segment_ != nullptr) {
        try {
            segment_->flush();
        } catch (const Error& e) {
            count_error(e);
        }
    }
    check_disk();
}

void Recorder::adopt_options() {
    checked_ = std::make_shared<td_options>(restore_options(*parts_.settings.current(), options_));
    try {
        rotation_ = parse_rotation(settings_.text(record_rotation, checked_.get()));
    } catch (const Error& e) {  // set by SIGHUP; no reason to lose the recording
        log::error("{}: {}; it goes into one file", label(), e.what());
        rotation_ = {};
    }
}

/// The stream's tracks as they are at the packet in hand: one that changed later has its new parameters already, and
/// packets before the change are still to be written.
std::vector<const TrackSpec*> Recorder::tracks() const {
    std::vector<const TrackSpec*> all = stream_->tracks();
    for (const TrackSpec*& spec : all) {
        if (const auto seen = seen_.find(spec->track.index)) spec = *seen;
    }
    return all;
}

void Recorder::handle(Timed timed) {
    seen_[timed.packet.spec->track.index] = timed.packet.spec;
    switch (state_.load()) {
        case State::Waiting:
            return await_start(std::move(timed));
        case State::Recording:
            return convert(std::move(timed));
        case State::Paused:
        case State::Over:
            return;
    }
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
    for (const Timed& timed : packets) write(timed);
}

/// The stream ends before its file began.
void Recorder::record_what_came() {
    Opening::Outlook known = outlook();
    const auto tracks = stream_->tracks();  // what was promised and did not come no longer counts
    known.video_comes = std::ranges::any_of(tracks, [](auto* t) { return t->track.kind == TD_VIDEO; });
    if (auto beginning = opening_.end(known)) return begin_file(*beginning);
    if (stream_->packets() != 0) log::warning("{}: no key frame came; nothing was recorded", label());
}

Recording Recorder::facts() const {
    Recording facts = plan(parts_.policy, stream_->info(), tracks(), checked_.get());
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
            std::string& codec = one.source->track.kind == TD_VIDEO ? facts.video_codec : facts.audio_codec;
            if (codec.empty()) codec = codec_name(one.codec);
        }
    } catch (const Error&) {  // not announced yet
        facts.extension = "mp4";
    }
    return facts;
}

/// The container for what comes now, and the converter set up for it.
Policy::Choice Recorder::choose() {
    const auto all = tracks();
    Policy::Choice choice = parts_.policy.choose(all, checked_.get());
    converter_.adopt(choice.tracks, checked_.get(), choice.left_out);
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
        if (e.status() != TD_NO_SPACE) throw Error(label(), e);
        state_ = State::Paused;
        return pause_or_give_up(e.what());
    }
    ++segments_;
    device_ = segment_->device();
    folders_ = {std::filesystem::path(segment_->facts().path).parent_path(), parts_.delivery.home_folder(nullptr)};
    state_ = State::Recording;
    cut_wanted_ = false;
    await_key_ = false;
    const std::string name = parts_.delivery.provisional_name(segment_->facts());  // its start is known now
    {
        const std::lock_guard lock(mutex_);
        shown_name_ = name;
    }
    log::info("{} goes to {}", label(), segment_->facts().path);
}

bool Recorder::wants_cut(const Timed& timed) {
    const TrackSpec* spec = timed.packet.spec;
    const bool is_late = converter_.converts(spec->track.index) && spec != converter_.output(spec->track.index);
    if (is_late) {
        // It came before its conversion, or before the transform's newest parameters.
    } else if (segment_->has(spec->track.index)) {
        if (segment_->spec(spec->track.index) != spec) {
            const bool split = settings_.text(record_codec_change, checked_.get()) == "split";
            if (split || !segment_->change(spec)) cut_wanted_ = true;
        }
    } else if (std::ranges::find(refused_tracks_, spec->track.index) == refused_tracks_.end()) {
        cut_wanted_ = true;  // a track that came late
        stream_->request_key(0);
    }
    if (restart_wanted_) cut_wanted_ = true;
    if (rotation_.duration_us != 0 && segment_->duration_us() >= rotation_.duration_us) {
        cut_wanted_ = true;
    }
    if (rotation_.bytes != 0 && segment_->bytes() >= rotation_.bytes) cut_wanted_ = true;
    if (!cut_wanted_) return false;
    const auto tracks = stream_->tracks();
    const bool has_video = std::ranges::any_of(
        tracks, [&](auto* t) { return t->track.kind == TD_VIDEO && segment_->has(t->track.index); });
    return !has_video || timed.packet.is_video_key();
}

void Recorder::cut(const Timed& timed) {
    cut_wanted_ = false;
    if (std::exchange(restart_wanted_, false)) {
        if (!take_next_options()) return;
        end_conversion();
    }
    close_segment();
    const Policy::Choice choice = choose();
    open_segment(choice, timed.pts_us);
}

/// New settings may be the transforms' too: what they hold ends this file, what was only waiting goes to the next.
void Recorder::end_conversion() {
    std::vector<Timed> out;
    converter_.finish(out);
    for (Timed& one : out) {
        if (!converter_.made(one.packet.spec)) {
            carried_.push_back(std::move(one));
            continue;
        }
        try {
            segment_->write(one);
        } catch (const Error& e) {
            log::error("{}: {}", label(), e.what());
        }
    }
}

/// The settings of a startup over this recording. False: their name is taken, and the recording goes on as it is.
bool Recorder::take_next_options() {
    const OptionTexts before = options_;
    const std::uint32_t count = std::exchange(segments_, 0);
    {
        const std::lock_guard lock(mutex_);
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

void Recorder::convert(Timed timed) {
    if (converter_.is_idle()) return write(timed);
    if (!converter_.fits(timed)) choose();
    std::vector<Timed> out = std::exchange(converted_, {});  // a cut changes the converter
    try {
        converter_.push(std::move(timed), out);
    } catch (const Error& e) {
        count_error(e);
    }
    for (const Timed& one : out) write(one);
    out.clear();
    converted_ = std::move(out);
    for (Timed& one : std::exchange(carried_, {})) convert(std::move(one));
}

/// What the transforms and the order held back goes to the file that ends.
void Recorder::flush_converter() {
    std::vector<Timed> out;
    converter_.finish(out);
    for (const Timed& one : out) write(one);
}

void Recorder::write(const Timed& timed) {
    if (state_ != State::Recording) return;
    if (wants_cut(timed)) cut(timed);
    if (state_ != State::Recording || !segment_->has(timed.packet.view.track)) return;
    if (segment_->spec(timed.packet.view.track) != timed.packet.spec) return;  // its parameters wait for the next file
    if (await_key_ && timed.packet.is_video()) {
        if (!timed.packet.is_video_key()) return;
        await_key_ = false;
    }
    try {
        segment_->write(timed);
    } catch (const Error& e) {
        return count_error(e);
    }
    if (!std::exchange(started_told_, true)) parts_.delivery.event_started(segment_->facts());
}

void Recorder::count_error(const Error& error) {
    errors().fetch_add(1);
    const std::string where = segment_ == nullptr ? std::string() : segment_->facts().path;
    log::error("{}: {}, media session {}: {}", label(), where, stream_->info().media_session, error.what());
    if (error.status() == TD_NO_SPACE) return pause_or_give_up(error.what());
    await_key_ = true;
    stream_->request_key(0);
    const auto most = static_cast<std::size_t>(settings_.integer(file_recorder_max_errors_per_interval));
    const auto interval = settings_.duration(file_recorder_error_interval);
    if (errors_.spend(std::chrono::steady_clock::now(), most, interval)) {
        give_up(fmt::format("{} errors within {} minutes; the last one: {}", most,
                            std::chrono::duration_cast<std::chrono::minutes>(interval).count(), error.what()));
    }
}

void Recorder::check_disk() {
    const auto enough = [&] {
        return std::ranges::all_of(folders_, [&](const auto& folder) { return parts_.disk.enough(folder); });
    };
    if (state_ == State::Recording) {
        if (!enough()) pause_or_give_up("Not enough available disk space");
    } else if (state_ == State::Paused && std::chrono::steady_clock::now() >= resume_at_ && enough()) {
        log::info("{}: there is space again", label());
        state_ = State::Waiting;
        opening_.again();
    }
}

void Recorder::pause_or_give_up(const std::string& reason) {
    if (!settings_.boolean(record_resume)) return give_up(reason);
    log::error("{}: {}; recording goes on when there is space again", label(), reason);
    if (segment_ != nullptr) {
        parts_.delivery.event_failed(segment_->facts(), reason);
        close_segment();
    }
    resume_at_ = std::chrono::steady_clock::now() + resume_pause;
    state_ = State::Paused;
}

void Recorder::give_up(const std::string& reason) {
    if (state_ == State::Over) return;
    log::error("{} stops: {}", label(), reason);
    if (segment_ != nullptr) parts_.delivery.event_failed(segment_->facts(), reason);
    finish();
}

void Recorder::finish() {
    if (state_ == State::Over) return;
    const auto self = shared_from_this();  // the owner forgets it in `ended_`
    if (segment_ != nullptr) {
        close_segment(Last::Yes);
    } else {
        const std::lock_guard lock(mutex_);
        state_ = State::Over;
    }
    std::shared_ptr<Feed> feed;
    bool settled = false;
    {
        const std::lock_guard lock(mutex_);
        feed = feed_;
        settled = closing_ == 0 && !std::exchange(settled_, true);
    }
    stream_->unsubscribe(feed);
    ended_(*this);
    if (settled) settle();  // else the name of the last file does it
}

void Recorder::close_segment(Last last) {
    {
        const std::lock_guard lock(mutex_);
        ++closing_;
        if (last == Last::Yes) state_ = State::Over;
    }
    try {
        segment_->flush();
    } catch (const Error& e) {  // what was written before is kept
        log::error("{}: {}", label(), e.what());
    }
    segment_->finish([self = shared_from_this()](const Recording& recording) { self->named(recording); });
    segment_.reset();
}

void Recorder::named(const Recording& recording) {
    bool last = false;
    {
        const std::lock_guard lock(mutex_);
        if (!recording.name.empty()) {
            last_named_ = share(recording);
            shown_name_ = recording.name;
        }
        last = --closing_ == 0 && state_ == State::Over && !std::exchange(settled_, true);
    }
    if (last) settle();
}

void Recorder::settle() {
    std::vector<Done> done;
    std::shared_ptr<const td_recording> named;
    {
        const std::lock_guard lock(mutex_);
        done = std::exchange(stop_done_, {});
        named = last_named_;
    }
    stream_->release(std::move(named));
    for (const Done& call : done) call(nullptr);
}

void Recorder::report_drops(const Feed& feed) {
    const std::uint64_t dropped = feed.dropped();
    if (dropped == drops_told_) return;
    const std::uint64_t fresh = dropped - std::exchange(drops_told_, dropped);
    dropped_packets().fetch_add(static_cast<std::int64_t>(fresh));
    log::warning("{}: dropped {} packets (disk slow)", label(), fresh);
}

}  // namespace tapedeck::host
