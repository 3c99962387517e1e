// A td_subscription whose stream is the test: what a plugin that plays streams is given by a FakeHost.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/buffers.hpp"
#include "testkit/callbacks.hpp"
#include "testkit/stream_facts.hpp"

namespace tapedeck::testkit {

/// One who subscribed. `push`, `end` and the questions are for any thread; what is told runs on the host's callback
/// thread.
class FakeViewer : public td_subscription {
public:
    FakeViewer(const td_stream_info& info, const td_subscriber& subscriber, void* self, Callbacks& callbacks)
        : td_subscription{&functions()}, facts(info), subscriber_(subscriber), self_(self), callbacks_(callbacks) {}
    ~FakeViewer() { forget_packets(); }
    FakeViewer(const FakeViewer&) = delete;
    FakeViewer& operator=(const FakeViewer&) = delete;

    const StreamFacts facts;

    /// A packet of this track comes; the payload is copied. `changed` is set where the track is new, or its config.
    void push(const td_track& track, std::span<const std::uint8_t> payload, std::int64_t pts,
              std::uint32_t flags = TD_PACKET_KEY) {
        td_packet packet{};
        packet.size = sizeof packet;
        packet.track = track.index;
        packet.flags = flags;
        packet.data_size = static_cast<std::uint32_t>(payload.size());
        packet.pts = packet.dts = pts;
        packet.duration = packet.wallclock_us = TD_NO_TIME;
        packet.buffer = CountedBuffer::make(payload.size());
        if (!payload.empty()) std::memcpy(packet.buffer->data, payload.data(), payload.size());
        packet.data = packet.buffer->data;
        bool wakes = false;
        {
            const std::lock_guard lock(mutex_);
            const std::string config(track.config.data, track.config.data + track.config.size);
            const auto known = current_.find(track.index);
            if (known == current_.end() || known->second->second != config) {
                auto& kept = tracks_.emplace_back(track, config);
                kept.first.config = {static_cast<const std::uint8_t*>(static_cast<const void*>(kept.second.data())),
                                     kept.second.size()};
                current_[track.index] = &kept;
                packet.flags |= TD_PACKET_CONFIG_CHANGED;
                packet.changed = &kept.first;
            }
            packets_.push_back(packet);
            wakes = is_open_ && !std::exchange(is_told_, true);
        }
        if (wakes) post([this] { subscriber_.ready(self_); });
    }
    /// The publisher leaves, or REST ends the viewer.
    void end(std::string reason) {
        post([this, reason = std::move(reason)] {
            if (!is_closed()) subscriber_.ended(self_, to_text(reason));
        });
    }

    /// The tracks of which a key frame was asked for.
    std::vector<std::uint32_t> keys_wanted() const {
        const std::lock_guard lock(mutex_);
        return keys_wanted_;
    }
    /// Packets that were read.
    std::size_t read_count() const {
        const std::lock_guard lock(mutex_);
        return read_count_;
    }
    bool is_closed() const {
        const std::lock_guard lock(mutex_);
        return is_closed_;
    }
    /// Waits until `done()` holds, which may call the members above; false when `limit` passed first.
    template <class Done>
    bool wait(Done done, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto before = changes_;
            lock.unlock();
            if (done()) return true;
            lock.lock();
            if (!changed_.wait_until(lock, deadline, [&] { return changes_ != before; })) {
                lock.unlock();
                return done();
            }
        }
    }

    /// For the service: `opened` with this or with the refusal, then `released` where nothing opened.
    void open(std::optional<Refusal> refusal) {
        post([this, refusal = std::move(refusal)] {
            if (refusal) {
                td_error error{sizeof(td_error), refusal->status, 0, {}};
                refusal->text.copy(error.text, sizeof error.text - 1);
                subscriber_.opened(self_, nullptr, &error);
                return release();
            }
            subscriber_.opened(self_, this, nullptr);
            bool wakes = false;
            {
                const std::lock_guard lock(mutex_);
                is_open_ = true;
                wakes = !packets_.empty() && !is_closed_ && !std::exchange(is_told_, true);
            }
            if (wakes) subscriber_.ready(self_);
        });
    }
    /// `released`; only the first call counts.
    void release() {
        callbacks_.post([this] {
            if (!std::exchange(released_, true)) subscriber_.released(self_);
        });
    }

private:
    static FakeViewer& self(td_subscription* subscription) { return *static_cast<FakeViewer*>(subscription); }

    template <class Change>
    void change(Change change) {
        {
            const std::lock_guard lock(mutex_);
            change();
            ++changes_;
        }
        changed_.notify_all();
    }
    std::span<const td_packet* const> read() {
        change([this] {
            for (const td_packet& packet : batch_) CountedBuffer::unref(packet.buffer);
            batch_ = std::exchange(packets_, {});
            readable_.clear();
            for (const td_packet& packet : batch_) readable_.push_back(&packet);
            read_count_ += batch_.size();
            is_told_ = false;
        });
        return readable_;
    }
    void forget_packets() {
        for (const td_packet& packet : std::exchange(packets_, {})) CountedBuffer::unref(packet.buffer);
        for (const td_packet& packet : std::exchange(batch_, {})) CountedBuffer::unref(packet.buffer);
    }
    void post(std::function<void()> call) {
        callbacks_.post([this, call = std::move(call)] {
            if (!released_) call();
        });
    }
    static const td_subscription_table& functions() {
        static constexpr td_subscription_table table{
            sizeof(td_subscription_table), 0,
            [](td_subscription* subscription, const td_packet* const** batch) {
                const auto read = self(subscription).read();
                *batch = read.data();
                return read.size();
            },
            [](td_subscription* subscription, std::uint32_t track) {
                self(subscription).change([&] { self(subscription).keys_wanted_.push_back(track); });
            },
            [](td_subscription* subscription) {
                self(subscription).change([&] {
                    self(subscription).is_closed_ = true;
                    self(subscription).forget_packets();
                });
                self(subscription).release();
            }};
        return table;
    }

    td_subscriber subscriber_;
    void* self_;
    Callbacks& callbacks_;
    bool released_ = false;  // on the callback thread only

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::uint64_t changes_ = 0;
    std::deque<std::pair<td_track, std::string>> tracks_;  // with their configs; packets refer to them
    std::map<std::uint32_t, const std::pair<td_track, std::string>*> current_;
    std::vector<td_packet> packets_;  // with a share in their buffers
    std::vector<std::uint32_t> keys_wanted_;
    std::size_t read_count_ = 0;
    bool is_open_ = false, is_told_ = false, is_closed_ = false;
    std::vector<td_packet> batch_;  // of the last read
    std::vector<const td_packet*> readable_;
};

}  // namespace tapedeck::testkit
