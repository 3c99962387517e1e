#include "record/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
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
      first_(std::move(stream)),
      ended_(std::move(ended)),
      stream_(first_),
      options_(std::move(options)) {
    running().fetch_add(1);
}

Recorder::~Recorder() {
    running().fetch_sub(1);
}

void Recorder::begin() {
    auto feed = subscribe(*first_);
    {
        const std::lock_guard lock(mutex_);
        feed_ = std::move(feed);
    }
    parts_.pool.wake(shared_from_this());  // for the GOP that was kept, and what came since
}

std::shared_ptr<Feed> Recorder::subscribe(Stream& stream) {
    const Feed::Limits limits{.queue_bytes = static_cast<std::size_t>(settings_.bytes(record_queue))};
    auto self = weak_from_this();
    return stream.subscribe(limits, [self, pool = &parts_.pool](Feed::Urgency urgency) {
        if (const auto recorder = self.lock()) pool->wake(recorder, urgency == Feed::Urgency::Now);
    });
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

std::shared_ptr<Stream> Recorder::stream() const {
    const std::lock_guard lock(mutex_);
    return stream_;
}

std::string Recorder::media_session() const {
    const std::lock_guard lock(mutex_);
    return (next_ ? next_->stream : stream_)->info().media_session;
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
            restarting_ = false;
            options_ = std::exchange(next_options_, {});
            segments_ = 0;
        }
        adopt_options();
        const std::string name = parts_.delivery.provisional_name(facts());
        const std::lock_guard lock(mutex_);
        shown_name_ = name;
        shown_row_ = 0;
    }
    if (restart_wanted_) stream_->request_key(0);

    const bool ended = feed->take(batch_);
    if (stream_ != first_) place_returned();
    for (Packet& packet : batch_) {
        if (seen_.find(packet.view.track) == nullptr) seen_[packet.view.track] = packet.spec;
        interleaver_.push(std::move(packet));
    }
    batch_.clear();
    if (ended || stopping) {
        interleaver_.finish(ready_);
    } else {
        interleaver_.drain(ready_);
    }
    if (!ready_.empty()) newest_us_ = ready_.back().pts_us;
    for (Timed& timed : ready_) {
        reached_us_ = std::max(reached_us_, timed.pts_us + timed.duration_us);
        handle(std::move(timed));
    }
    ready_.clear();
    report_drops(*feed);
    if (state_ == State::Over) return;
    if (ended || stopping) {
        if (state_ == State::Waiting) record_what_came();
        if (!stopping && await_return()) return;
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
    return_us_ = settings_.duration(record_reconnect_timeout, checked_.get()).count();
    try {
        rotation_ = parse_rotation(settings_.text(record_rotation, checked_.get()));
    } catch (const Error& e) {  // set by SIGHUP; no reason to lose the recording
        log::error("{}: {}; it goes into one file", label(), e.what());
        rotation_ = {};
    }
}

/// The stream's tracks as they are at the packet in hand: one that changed later has its new parameters already, and
/// packets before the change are still to be written.
std::vector<const TrackSpec*> Recorder::tracks() {
    std::vector<const TrackSpec*> all = stream_->tracks();
    for (const TrackSpec*& spec : all) {
        if (stream_ != first_) spec = returned_.own(spec);
        if (const auto seen = seen_.find(spec->track.index)) spec = *seen;
    }
    return all;
}

void Recorder::handle(Timed timed) {
    const State state = state_;
    if (state == State::Recording) return convert(std::move(timed));
    seen_[timed.packet.spec->track.index] = timed.packet.spec;
    if (state == State::Waiting) await_start(std::move(timed));
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

bool Recorder::has_space() {
    return std::ranges::all_of(folders_, [&](const auto& folder) { return parts_.disk.enough(folder); });
}

void Recorder::check_disk() {
    if (state_ == State::Recording) {
        if (!has_space()) pause_or_give_up("Not enough available disk space");
    } else if (state_ == State::Paused && std::chrono::steady_clock::now() >= resume_at_ && has_space()) {
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
    give_back_next();
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
            if (shown_row_ == recording.row) shown_name_ = recording.name;  // else another file is written already
        }
        last = --closing_ == 0 && state_ == State::Over && !std::exchange(settled_, true);
    }
    if (last) settle();
}

void Recorder::settle() {
    std::vector<Done> done;
    std::shared_ptr<const td_recording> named;
    std::shared_ptr<Stream> stream;
    {
        const std::lock_guard lock(mutex_);
        stream = stream_;
        done = std::exchange(stop_done_, {});
        named = last_named_;
    }
    stream->release(std::move(named));
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
