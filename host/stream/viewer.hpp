// One viewer of a stream: what its protocol's plugin reads from.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/loop.hpp"
#include "stream/by_track.hpp"
#include "stream/feed.hpp"
#include "stream/sound.hpp"
#include "stream/stream.hpp"
#include "stream/stream_info.hpp"

namespace tapedeck::host {

/// The td_subscription's calls come from the plugin, one at a time; all else is for any thread. The stream fills the
/// queue, which is shared with nobody, and never waits. Whoever holds it puts off `released`, which its destructor
/// posts.
class Viewer : public td_subscription, public std::enable_shared_from_this<Viewer> {
public:
    using Closed = std::function<void(const Viewer&)>;

    /// `queue_bytes` may wait for it; without `sounds` nothing is converted for it. `closed` comes when the plugin
    /// closes it, on the plugin's thread.
    Viewer(StreamInfo info, std::shared_ptr<Stream> stream, std::size_t queue_bytes, Sounds* sounds,
           const td_subscriber* subscriber, void* self, Loop& callbacks, Closed closed);
    ~Viewer();
    Viewer(const Viewer&) = delete;
    Viewer& operator=(const Viewer&) = delete;

    /// False: the stream has tracks, and this viewer can take none of them, converted or not. Asks transforms.
    static bool can_play(const StreamInfo& info, const Stream& stream, const Sounds* sounds);

    /// Tells the plugin that it is open, then joins the stream. Once, on the loop's thread.
    void begin();
    /// Nothing more comes; the client gets the reason. Only the first one counts.
    void kick(std::string_view reason);

    const StreamInfo& info() const { return info_; }
    const Stream& stream() const { return *stream_; }
    /// The stream's that it can take.
    std::vector<const TrackSpec*> tracks() const;
    /// What its sound is converted to; 0: it is not.
    std::uint32_t sound_codec() const { return sound_codec_.load(); }

    /// Those that it read.
    std::uint64_t packets() const { return packets_.load(std::memory_order_relaxed); }
    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    /// Those that it lost because it was too slow.
    std::uint64_t dropped() const { return feed_.dropped(); }

private:
    std::span<const td_packet* const> read();
    void close();
    void leave();
    void want_sound(const TrackSpec& track);
    std::shared_ptr<Feed> feed() { return {shared_from_this(), &feed_}; }

    static const td_subscription_table functions;

    const StreamInfo info_;
    const std::shared_ptr<Stream> stream_;
    const td_subscriber* const subscriber_;
    void* const self_;
    Loop& callbacks_;
    const Closed closed_;
    Sounds* const sounds_;

    std::mutex mutex_;                           // of `heard_` only
    std::vector<std::shared_ptr<Sound>> heard_;  // its packets refer to them
    std::atomic<std::uint32_t> sound_codec_ = 0;
    const TrackSpec* last_wanted_ = nullptr;  // of the plugin's thread

    Feed feed_;
    std::atomic<bool> over_ = false;  // kicked or closed
    std::atomic<bool> is_closed_ = false;
    std::atomic<std::uint64_t> packets_ = 0, bytes_ = 0;

    std::vector<Packet> batch_;               // of the plugin's thread, as are those below
    std::vector<const td_packet*> readable_;  // what it can take of the batch
    ByTrack<const TrackSpec*> told_;
};

}  // namespace tapedeck::host
