#include "stream/stream.hpp"

#include <algorithm>
#include <utility>

#include "base/guarded.hpp"
#include "base/log.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t largest_setup = 64u << 10;  // all that were announced are kept

constexpr auto key_request_pause = std::chrono::milliseconds(500);

}  // namespace

const td_sink_table Stream::sink_functions{
    sizeof(td_sink_table),
    0,
    [](td_sink* sink, const td_track* track, td_error* error) {
        return guarded(error, [&] { static_cast<Stream*>(sink)->announce(*track); });
    },
    [](td_sink* sink, const td_packet* const* packets, std::size_t count, td_error* error) {
        bool goes_on = true;
        const td_status status = guarded(error, [&] {
            goes_on = static_cast<Stream*>(sink)->deliver({packets, count});
        });
        return status == TD_OK && !goes_on ? TD_AGAIN : status;
    },
    [](td_sink* sink, td_text key, td_text value) {
        guarded(nullptr, [&] { static_cast<Stream*>(sink)->set_property(view(key), view(value)); });
    },
    [](td_sink* sink, td_text reason) {
        guarded(nullptr, [&] { static_cast<Stream*>(sink)->end(std::string(view(reason))); });
    }};

Stream::Stream(StreamInfo info, const td_publisher* publisher, void* self, Loop& callbacks, Limits limits,
               Closed closed)
    : td_sink{&sink_functions},
      info_(std::move(info)),
      publisher_(publisher),
      self_(self),
      callbacks_(callbacks),
      limits_(limits),
      closed_(std::move(closed)) {}

void Stream::announce(const td_track& track) {
    const std::lock_guard lock(mutex_);
    const auto known = current_.find(track.index);
    if (known != current_.end() && known->second->same_parameters(track)) return;
    if (track.time_base.num <= 0 || track.time_base.den <= 0) {
        throw Error(fmt::format("track {}: the time base {}/{} is not positive", track.index, track.time_base.num,
                                track.time_base.den),
                    TD_MALFORMED);
    }
    if (track.config.size > largest_setup) {
        throw Error(fmt::format("track {}: a decoder setup of {} bytes; {} are taken", track.index, track.config.size,
                                largest_setup),
                    TD_MALFORMED);
    }
    // Senders alternate: the newest first.
    const auto before = std::find_if(specs_.rbegin(), specs_.rend(), [&](const auto& one) { return one.says(track); });
    if (before != specs_.rend()) {
        current_[track.index] = &*before;
        return;
    }
    if (specs_.size() >= limits_.tracks * 64 || (known == current_.end() && current_.size() >= limits_.tracks)) {
        throw Error(fmt::format("stream '{}' announces too many tracks", printable(info_.name)), TD_MALFORMED);
    }
    current_[track.index] = &specs_.emplace_back(track);
    if (track.kind == TD_VIDEO) has_video_ = true;
}

bool Stream::deliver(std::span<const td_packet* const> batch) {
    if (kicked_.load(std::memory_order_relaxed)) throw Error("the stream was ended", TD_CANCELLED);
    const auto now = std::chrono::steady_clock::now();
    const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
    scratch_.clear();
    std::uint64_t bytes = 0;
    for (const td_packet* packet : batch) {
        if (packet->changed != nullptr) announce(*packet->changed);
        const auto spec = current_.find(packet->track);  // only this thread changes the map
        if (spec == current_.end()) {
            throw Error(fmt::format("a packet of track {}, which was not announced", packet->track), TD_MALFORMED);
        }
        if (packet->data_size == 0) continue;
        scratch_.emplace_back(*packet, spec->second);
        scratch_.back().own();
        td_packet& placed = scratch_.back().view;
        std::int64_t arrival_us = now_us;
        if (info_.arrives_by_wallclock && placed.wallclock_us != TD_NO_TIME) {
            arrival_us = std::exchange(placed.wallclock_us, TD_NO_TIME);
        }
        clock_.place(placed, spec->second->track, arrival_us);
        bytes += placed.data_size;
    }
    if (scratch_.empty()) return may_go_on();
    packets_.fetch_add(scratch_.size(), std::memory_order_relaxed);
    delivered_.store(now, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (began() == Feed::TimePoint()) began_.store(now, std::memory_order_relaxed);
    State pending = State::Pending;
    state_.compare_exchange_strong(pending, State::Publishing);

    std::shared_ptr<const Feeds> feeds;
    bool has_video = false;
    {
        const std::lock_guard lock(mutex_);
        feeds = feeds_;
        has_video = has_video_;
        if (keeps_gop_) keep_gop(scratch_);
    }
    is_ahead_ = pace_.is_ahead(scratch_.back().dts_us(), now_us);
    const Feed::Arrival arrival{.has_video = has_video, .is_ahead = is_ahead_, .now = now};
    for (const auto& feed : *feeds) {
        if (feed == feeds->back())
            feed->push_moved(scratch_, arrival);
        else
            feed->push(scratch_, arrival);
    }
    scratch_.clear();
    return may_go_on();
}

/// A source that is ahead of real time waits for the slowest consumer.
bool Stream::may_go_on() const {
    if (!is_ahead_) return true;
    const std::lock_guard lock(mutex_);
    return std::ranges::none_of(*feeds_, [](const auto& feed) { return feed->is_behind(); });
}

void Stream::keep_gop(std::span<const Packet> batch) {
    if (limits_.gop_bytes == 0) return;
    for (const Packet& packet : batch) {
        const bool starts = has_video_ ? packet.is_video_key() : gop_size_ + packet.view.data_size > 64u << 10;
        if (starts || gop_size_ + packet.view.data_size > limits_.gop_bytes) {
            gop_lost_ = !starts;
            gop_.clear();
            gop_size_ = 0;
        }
        if (gop_lost_ && has_video_) continue;
        gop_.push_back(packet);
        gop_size_ += packet.view.data_size;
    }
}

std::shared_ptr<Feed> Stream::subscribe(Feed::Limits limits, Feed::Wake wake) {
    auto feed = std::make_shared<Feed>(limits, std::move(wake));
    attach(feed);
    return feed;
}

bool Stream::attach(const std::shared_ptr<Feed>& feed) {
    const Feed::Limits& limits = feed->limits();
    bool ended = false, preloads = false;
    std::vector<Packet> no_longer_kept;
    {
        const std::lock_guard lock(mutex_);
        ended = is_closed();
        if (!ended) {
            const bool suits_viewers = has_video_ && !info_.keys_on_request && gop_size_ <= limits.queue_bytes;
            preloads = !gop_.empty() && (!limits.is_viewer || suits_viewers);
            if (preloads) feed->preload(gop_);
            auto more = std::make_shared<Feeds>(*feeds_);
            more->push_back(feed);
            feeds_ = std::move(more);
            no_longer_kept = settle_feeds();
        }
    }
    if (ended) feed->end("the stream has ended");
    return preloads;
}

void Stream::unsubscribe(const std::shared_ptr<Feed>& feed) {
    std::vector<Packet> no_longer_kept;
    const std::lock_guard lock(mutex_);
    auto fewer = std::make_shared<Feeds>(*feeds_);
    std::erase(*fewer, feed);
    feeds_ = std::move(fewer);
    no_longer_kept = settle_feeds();
}

/// Under the lock, after the feeds changed. What comes back is for the caller to destroy without it.
std::vector<Packet> Stream::settle_feeds() {
    std::int64_t delay_us = TD_RECORD_DELAY_US;
    bool is_watched = false;
    for (const auto& feed : *feeds_) {
        if (!feed->limits().is_viewer) continue;
        is_watched = true;
        delay_us = std::min<std::int64_t>(delay_us, std::chrono::microseconds(feed->limits().delay).count());
    }
    if (delay_us != demanded_us_) {
        demanded_us_ = delay_us;
        callbacks_.post([stream = shared_from_this(), delay_us] {
            if (!stream->is_closed()) stream->publisher_->demand(stream->self_, delay_us);
        });
    }
    keeps_gop_ = feeds_->empty() || is_watched;
    if (keeps_gop_) return {};
    gop_size_ = 0;
    gop_lost_ = true;
    return std::exchange(gop_, {});
}

std::vector<const TrackSpec*> Stream::tracks() const {
    const std::lock_guard lock(mutex_);
    std::vector<const TrackSpec*> all;
    all.reserve(current_.size());
    for (const auto& [index, spec] : current_) all.push_back(spec);
    return all;
}

std::map<std::string, std::string> Stream::properties() const {
    const std::lock_guard lock(mutex_);
    return properties_;
}

void Stream::set_property(std::string_view key, std::string_view value) {
    constexpr std::size_t most = 64, longest = 1024;
    const std::lock_guard lock(mutex_);
    if (properties_.size() >= most && !properties_.contains(std::string(key))) return;
    properties_[std::string(key.substr(0, longest))] = std::string(value.substr(0, longest));
}

void Stream::request_key(std::uint32_t track) {
    {
        const std::lock_guard lock(mutex_);
        if (is_closed() || asks_later_) return;
        const auto now = std::chrono::steady_clock::now();
        const auto pause = std::chrono::ceil<std::chrono::milliseconds>(key_asked_ + key_request_pause - now);
        if (pause.count() > 0) {
            asks_later_ = true;
            callbacks_.after(pause, [known = weak_from_this(), track] {
                const auto stream = known.lock();
                if (stream == nullptr) return;
                {
                    const std::lock_guard again(stream->mutex_);
                    stream->asks_later_ = false;
                }
                stream->request_key(track);
            });
            return;
        }
        key_asked_ = now;
    }
    callbacks_.post([stream = shared_from_this(), track] {
        if (!stream->is_closed()) stream->publisher_->request_key(stream->self_, track);
    });
}

void Stream::kick(std::string_view reason) {
    if (is_closed() || kicked_.exchange(true)) return;
    if (!hold()) return;  // until the callback ran: `released` is the last use of self
    callbacks_.post([stream = shared_from_this(), reason = std::string(reason)] {
        if (!stream->is_closed()) stream->publisher_->kick(stream->self_, text_of(reason));
        stream->release(nullptr);
    });
}

void Stream::tick(Feed::TimePoint now) {
    std::shared_ptr<const Feeds> feeds;
    {
        const std::lock_guard lock(mutex_);
        feeds = feeds_;
    }
    for (const auto& feed : *feeds) feed->tick(now);
}

void Stream::end(const std::string& reason) {
    if (state_.exchange(State::Closed) == State::Closed) return;
    const auto stream = shared_from_this();  // the hub forgets it below
    log::info("stream '{}' of {} ended: {}", printable(info_.name), info_.remote, printable(reason));
    std::shared_ptr<const Feeds> feeds;
    {
        const std::lock_guard lock(mutex_);
        feeds = std::exchange(feeds_, std::make_shared<Feeds>());
        gop_.clear();
    }
    for (const auto& feed : *feeds) feed->end(reason);
    closed_(*this);
    release(nullptr);
}

bool Stream::hold() {
    const std::lock_guard lock(mutex_);
    if (holds_ == 0) return false;
    ++holds_;
    return true;
}

void Stream::release(std::shared_ptr<const td_recording> recording) {
    const std::lock_guard lock(mutex_);
    if (recording != nullptr) recorded_ = std::move(recording);
    if (--holds_ != 0) return;
    callbacks_.post(
        [stream = shared_from_this()] { stream->publisher_->released(stream->self_, stream->recorded_.get()); });
}

}  // namespace tapedeck::host
