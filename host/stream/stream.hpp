// A published stream: what its publisher's plugin writes into, and recordings and viewers read from.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.hpp"
#include "stream/clock.hpp"
#include "stream/feed.hpp"
#include "stream/pace.hpp"
#include "stream/packet.hpp"
#include "stream/stream_info.hpp"

namespace tapedeck::host {

/// Whoever keeps something of streams; told before the first packet. Calls come one at a time for a stream.
class Stream;
class StreamListener {
public:
    virtual ~StreamListener() = default;
    virtual void opened(const std::shared_ptr<Stream>& stream) = 0;
    /// Four times a second, on the loop's thread.
    virtual void tick() {}
};

/// The sink's calls come from the plugin, one at a time; all else is for any thread. PENDING until the first packet,
/// then PUBLISHING, until it is closed.
class Stream : public td_sink, public std::enable_shared_from_this<Stream> {
public:
    struct Limits {
        std::size_t gop_bytes = 8u << 20;  ///< of the GOP kept for late consumers; 0: none is kept
        std::size_t tracks = 64;
    };
    /// What the hub is told when the stream ends.
    using Closed = std::function<void(Stream&)>;

    Stream(StreamInfo info, const td_publisher* publisher, void* self, Loop& callbacks, Limits limits, Closed closed);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    const StreamInfo& info() const { return info_; }
    bool is_publishing() const { return state_.load() == State::Publishing; }
    bool is_closed() const { return state_.load() == State::Closed; }

    /// Another consumer. It begins with the GOP that is going on, where one is kept, without being woken for it: take
    /// once after this call. `wake` may come from inside when the stream has ended already.
    std::shared_ptr<Feed> subscribe(Feed::Limits limits, Feed::Wake wake);
    /// The same with a feed of the caller's. A viewer's begins with the GOP only where the source makes no key frame
    /// on request and the whole of it fits. False: it begins with nothing.
    bool attach(const std::shared_ptr<Feed>& feed);
    void unsubscribe(const std::shared_ptr<Feed>& feed);

    /// The tracks as announced so far, by index.
    std::vector<const TrackSpec*> tracks() const;
    /// What the publisher said of the stream: `title`, `muted`, ...
    std::map<std::string, std::string> properties() const;

    /// Asks the publisher for a key frame; at most one request in 0.5 s goes out, the last one of them at its end.
    void request_key(std::uint32_t track);
    /// Ends it; the client gets the reason. The plugin closes the sink soon.
    void kick(std::string_view reason);

    /// Somebody still has to finish something of this stream, so `released` waits. False: it is too late, the stream
    /// has been released.
    bool hold();
    /// That is done. The recording, if any, is what the publisher is told; `share` of store/recording.hpp makes it.
    void release(std::shared_ptr<const td_recording> recording);

    /// When the first packets came.
    Feed::TimePoint began() const { return began_.load(std::memory_order_relaxed); }
    /// Since when nothing has come.
    Feed::TimePoint silent_since() const { return delivered_.load(std::memory_order_relaxed); }
    /// For a source that fell silent; from the hub's tick.
    void tick(Feed::TimePoint now);

    std::uint64_t packets() const { return packets_.load(std::memory_order_relaxed); }
    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

private:
    enum class State { Pending, Publishing, Closed };
    using Feeds = std::vector<std::shared_ptr<Feed>>;

    void announce(const td_track& track);
    /// False: the source should wait a little.
    bool deliver(std::span<const td_packet* const> batch);
    void set_property(std::string_view key, std::string_view value);
    void end(const std::string& reason);
    void keep_gop(std::span<const Packet> batch);
    std::vector<Packet> settle_feeds();
    bool may_go_on() const;

    static const td_sink_table sink_functions;

    const StreamInfo info_;
    const td_publisher* const publisher_;
    void* const self_;
    Loop& callbacks_;
    const Limits limits_;
    const Closed closed_;

    std::atomic<State> state_ = State::Pending;
    std::atomic<bool> kicked_ = false;
    std::atomic<std::uint64_t> packets_ = 0, bytes_ = 0;
    std::atomic<Feed::TimePoint> began_{}, delivered_{};

    Clock clock_;                  // of the plugin's thread, as is scratch_
    std::vector<Packet> scratch_;  // the batch on its way, reused
    Pace pace_;
    bool is_ahead_ = false;  // the newest packet is far ahead of real time, so its source can wait

    mutable std::mutex mutex_;     // never held over a call out
    std::deque<TrackSpec> specs_;  // all that were announced, each once
    std::map<std::uint32_t, const TrackSpec*> current_;
    std::shared_ptr<const Feeds> feeds_ = std::make_shared<Feeds>();  // replaced, never changed
    std::vector<Packet> gop_;
    std::size_t gop_size_ = 0;
    bool keeps_gop_ = true;  // nobody records, or somebody watches: another one may come
    bool gop_lost_ = true;   // until a key packet begins it
    bool has_video_ = false;
    std::map<std::string, std::string> properties_;
    std::chrono::steady_clock::time_point key_asked_{};
    bool asks_later_ = false;  // for a key frame, when the pause is over
    std::int64_t demanded_us_ = TD_RECORD_DELAY_US;
    int holds_ = 1;  // the publisher's own, given back when it closes
    std::shared_ptr<const td_recording> recorded_;
};

}  // namespace tapedeck::host
