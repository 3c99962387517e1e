// One consumer's queue on a stream: bounded in bytes, woken in batches.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "stream/packet.hpp"

namespace tapedeck::host {

/// Filled by the stream, emptied by one consumer on any thread. A consumer that cannot follow loses nothing that was
/// queued: what comes while the queue is full is dropped up to the next key packet after half of it was taken, flagged
/// TD_PACKET_DISCONTINUITY and counted. Neither side ever waits for the other.
class Feed {
public:
    struct Limits {
        std::size_t queue_bytes = 16u << 20;
        std::size_t due_bytes = 256u << 10;      ///< so much wakes the consumer
        std::size_t large_due_bytes = 2u << 20;  ///< when the source is ahead of real time: few and large pieces
        std::size_t behind_bytes = 4u << 20;     ///< more than this, and such a source should wait
        std::chrono::milliseconds delay{450};    ///< or so much time since it last took something
        bool is_viewer = false;                  ///< its picture begins with a key packet, and no source waits for it
    };
    using TimePoint = std::chrono::steady_clock::time_point;

    /// How soon the consumer should come: at its leisure, or before the queue grows further.
    enum class Urgency { Calm, Now };
    using Wake = std::function<void(Urgency)>;

    /// `wake` is called without a lock held, on the ingest thread or a tick, once until the next `take`.
    Feed(Limits limits, Wake wake);

    /// What the stream knows of a batch.
    struct Arrival {
        bool has_video = false;  ///< the stream has, so only its key packets end a gap
        bool is_ahead = false;   ///< of real time: its source can wait
        TimePoint now;
    };

    /// By the stream. `preload` wakes nobody: it is for what there was before the consumer came.
    void preload(std::span<const Packet> kept);
    /// The second form moves the packets out of `batch`, which saves their reference counts.
    void push(std::span<const Packet> batch, const Arrival& arrival);
    void push_moved(std::span<Packet> batch, const Arrival& arrival);
    void end(std::string reason);
    /// Wakes the consumer when packets have waited for `delay`: for a source that fell silent.
    void tick(TimePoint now);

    /// Moves everything queued to the end of `into`. True once the stream has ended and all was taken.
    bool take(std::vector<Packet>& into);

    const Limits& limits() const { return limits_; }
    /// Whether a source that can wait should.
    bool is_behind() const;
    /// Why the stream ended; empty while it has not.
    std::string end_reason() const;
    /// Packets that this consumer lost because it was too slow.
    std::uint64_t dropped() const;

private:
    /// Moves from a span of packets, copies from a span of const ones.
    template <class P>
    void push_all(std::span<P> batch, const Arrival& arrival);
    template <class P>
    void append(std::span<P> batch, bool has_video);
    bool due(TimePoint now);  // marks it woken
    std::size_t enough() const { return is_ahead_ ? limits_.large_due_bytes : limits_.due_bytes; }

    const Limits limits_;
    const Wake wake_;
    mutable std::mutex mutex_;
    std::vector<Packet> queue_;
    std::size_t bytes_ = 0;
    TimePoint taken_{};
    bool is_ahead_ = false;  // so was the last batch
    bool woken_ = false;
    bool awaits_key_;  // its first one
    bool dropping_ = false;
    bool resumed_ = false;
    bool ended_ = false;
    std::string reason_;
    std::uint64_t dropped_ = 0;
};

}  // namespace tapedeck::host
