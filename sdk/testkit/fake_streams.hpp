// The service tapedeck.streams/1 of a FakeHost: every published stream is a recording sink that the test can look into,
// and every viewer reads what the test pushes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/callbacks.hpp"
#include "testkit/fake_viewer.hpp"
#include "testkit/recording_sink.hpp"
#include "testkit/settings.hpp"
#include "testkit/stream_facts.hpp"

namespace tapedeck::testkit {

/// One published stream. Its `kick`, `request_key`, `demand` and `release` run on the host's callback thread.
class FakeStream : public RecordingSink {
public:
    FakeStream(const td_stream_info& info, const td_publisher& publisher, void* self, Callbacks& callbacks)
        : facts(info), publisher_(publisher), self_(self), callbacks_(callbacks) {}

    const StreamFacts facts;
    /// When false, the test calls `release` itself; else the end of the stream does.
    std::atomic<bool> releases_at_close{true};

    void kick(std::string reason) {
        answer(TD_CANCELLED);
        post([this, reason = std::move(reason)] {
            if (publisher_.kick != nullptr) publisher_.kick(self_, to_text(reason));
        });
    }
    void request_key(std::uint32_t track) {
        post([=, this] {
            if (publisher_.request_key != nullptr) publisher_.request_key(self_, track);
        });
    }
    void demand(std::int64_t delay_us) {
        post([=, this] {
            if (publisher_.demand != nullptr) publisher_.demand(self_, delay_us);
        });
    }
    /// `released` with these recording's names, or with null. Only the first call counts.
    void release(std::string name = {}, std::string uri = {}) {
        callbacks_.post([this, name = std::move(name), uri = std::move(uri)] {
            if (std::exchange(released_, true) || publisher_.released == nullptr) return;
            td_recording recording{};
            recording.size = sizeof recording;
            recording.flags = TD_RECORDING_FINAL;
            recording.stream = to_text(facts.name);
            recording.name = to_text(name);
            recording.uri = to_text(uri);
            publisher_.released(self_, name.empty() ? nullptr : &recording);
        });
    }
    /// For the service: `opened` with this sink or with the refusal, then `released` where nothing opened.
    void open(std::optional<Refusal> refusal) {
        const bool is_refused = refusal.has_value();
        post([this, refusal = std::move(refusal)] {
            if (!refusal) return publisher_.opened(self_, this, nullptr);
            td_error error{sizeof(td_error), refusal->status, 0, {}};
            refusal->text.copy(error.text, sizeof error.text - 1);
            publisher_.opened(self_, nullptr, &error);
        });
        if (is_refused) release();
    }

private:
    void on_close() override {
        if (releases_at_close) release();
    }
    void post(std::function<void()> call) {
        callbacks_.post([this, call = std::move(call)] {
            if (!released_) call();
        });
    }

    td_publisher publisher_;
    void* self_;
    Callbacks& callbacks_;
    bool released_ = false;  // on the callback thread only
};

/// Thread-safe. Streams are kept until this ends, so a test may look into a closed one.
class FakeStreams {
public:
    explicit FakeStreams(Callbacks& callbacks) : callbacks_(callbacks) {}

    /// Asked for each `publish`, `subscribe` and `admit` (the action is TD_CONNECT, TD_PUBLISH or TD_PLAY); nothing
    /// means yes.
    void refuse(std::function<std::optional<Refusal>(std::int32_t action, const StreamFacts&)> judge) {
        const std::lock_guard lock(mutex_);
        judge_ = std::move(judge);
    }
    /// All that asked to be published, refused ones included.
    std::vector<FakeStream*> all() const {
        const std::lock_guard lock(mutex_);
        std::vector<FakeStream*> result;
        result.reserve(streams_.size());
        for (const auto& stream : streams_) result.push_back(stream.get());
        return result;
    }
    /// The `number`th publication (from 0), or null when it does not come within `limit`.
    FakeStream* wait(std::size_t number = 0, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [&] { return streams_.size() > number; })) return nullptr;
        return streams_[number].get();
    }
    /// The `number`th who subscribed (from 0), refused ones included, or null when nobody does within `limit`. Any
    /// name can be played.
    FakeViewer* wait_viewer(std::size_t number = 0, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [&] { return viewers_.size() > number; })) return nullptr;
        return viewers_[number].get();
    }
    /// What `admit` was asked.
    std::vector<std::pair<std::int32_t, StreamFacts>> admissions() const {
        const std::lock_guard lock(mutex_);
        return admissions_;
    }
    /// Everybody who was not released is.
    void release_all() {
        for (FakeStream* stream : all()) stream->release();
        const std::lock_guard lock(mutex_);
        for (const auto& viewer : viewers_) viewer->release();
    }

    void publish(const td_stream_info& info, const td_publisher& publisher, void* self) {
        const auto refusal = judge(TD_PUBLISH, StreamFacts(info));
        FakeStream* stream = nullptr;
        {
            const std::lock_guard lock(mutex_);
            stream = streams_.emplace_back(std::make_unique<FakeStream>(info, publisher, self, callbacks_)).get();
        }
        stream->open(refusal);
        changed_.notify_all();
    }
    void subscribe(const td_stream_info& info, const td_subscriber& subscriber, void* self) {
        const auto refusal = judge(TD_PLAY, StreamFacts(info));
        FakeViewer* viewer = nullptr;
        {
            const std::lock_guard lock(mutex_);
            viewer = viewers_.emplace_back(std::make_unique<FakeViewer>(info, subscriber, self, callbacks_)).get();
        }
        viewer->open(refusal);
        changed_.notify_all();
    }
    /// Whether an open stream of this name was published.
    td_status find(std::string_view name) const {
        for (const FakeStream* stream : all()) {
            if (stream->facts.name != name || stream->closed()) continue;
            return stream->packet_count() != 0 ? TD_OK : TD_AGAIN;
        }
        return TD_NOT_FOUND;
    }
    void admit(std::int32_t action, const td_stream_info& info, void (*done)(void*, const td_error*), void* self) {
        auto refusal = judge(action, StreamFacts(info));
        {
            const std::lock_guard lock(mutex_);
            admissions_.emplace_back(action, StreamFacts(info));
        }
        callbacks_.post([=] {
            if (!refusal) return done(self, nullptr);
            td_error error{sizeof(td_error), refusal->status, 0, {}};
            refusal->text.copy(error.text, sizeof error.text - 1);
            done(self, &error);
        });
    }

private:
    std::optional<Refusal> judge(std::int32_t action, const StreamFacts& facts) const {
        std::function<std::optional<Refusal>(std::int32_t, const StreamFacts&)> asked;
        {
            const std::lock_guard lock(mutex_);
            asked = judge_;
        }
        return asked ? asked(action, facts) : std::nullopt;
    }

    Callbacks& callbacks_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::function<std::optional<Refusal>(std::int32_t, const StreamFacts&)> judge_;
    std::vector<std::unique_ptr<FakeStream>> streams_;
    std::vector<std::unique_ptr<FakeViewer>> viewers_;
    std::vector<std::pair<std::int32_t, StreamFacts>> admissions_;
};

}  // namespace tapedeck::testkit
