// A td_sink that keeps copies of all it is given: what a published stream or a transform's output looks like to a test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

struct TrackCopy {
    explicit TrackCopy(const td_track& from)
        : track(from),
          config(from.config.data, from.config.data + from.config.size),
          language(string_of(from.language)),
          label(string_of(from.label)) {}
    /// The numbers; `config`, `language` and `label` in it are not to be used.
    td_track track;
    std::vector<std::uint8_t> config;
    std::string language, label;
};

struct PacketCopy {
    explicit PacketCopy(const td_packet& from) : packet(from), data(from.data, from.data + from.data_size) {
        if (from.changed != nullptr) changed.emplace(*from.changed);
    }
    bool is_key() const { return (packet.flags & TD_PACKET_KEY) != 0; }
    /// The numbers; `data`, `buffer` and `changed` in it are not to be used.
    td_packet packet;
    std::vector<std::uint8_t> data;
    std::optional<TrackCopy> changed;
};

/// All members may be called on any thread; the copies returned are snapshots.
class RecordingSink : public td_sink {
    template <class Function>
    auto locked(Function function) const {
        const std::lock_guard lock(mutex_);
        return function();
    }

public:
    RecordingSink() { table = &functions(); }
    virtual ~RecordingSink() = default;
    RecordingSink(const RecordingSink&) = delete;
    RecordingSink& operator=(const RecordingSink&) = delete;

    /// Every announcement in order, repeated ones included.
    std::vector<TrackCopy> tracks() const {
        return locked([&] { return tracks_; });
    }
    std::vector<PacketCopy> packets() const {
        return locked([&] { return packets_; });
    }
    std::vector<PacketCopy> packets(std::uint32_t track) const {
        auto all = packets();
        std::erase_if(all, [&](const PacketCopy& copy) { return copy.packet.track != track; });
        return all;
    }
    std::size_t packet_count() const {
        return locked([&] { return packets_.size(); });
    }
    /// Calls of `packets`, with or without any.
    std::size_t batch_count() const {
        return locked([&] { return batches_; });
    }
    std::map<std::string, std::string> shown() const {
        return locked([&] { return shown_; });
    }
    /// The reason given to `close`, nothing while the sink is open.
    std::optional<std::string> closed() const {
        return locked([&] { return closed_; });
    }

    /// From now on `track` and `packets` answer with this status; what is refused (a negative one) is not kept.
    void answer(td_status status) {
        locked([&] { return answer_ = status; });
    }

    /// Waits until `done()` holds, which may call the members above; false when `limit` passed first.
    template <class Done>
    bool wait(Done done, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        for (;;) {
            const auto before = locked([&] { return changes_; });
            if (done()) return true;
            std::unique_lock lock(mutex_);
            if (!changed_.wait_until(lock, deadline, [&] { return changes_ != before; })) {
                lock.unlock();
                return done();
            }
        }
    }

protected:
    /// Called after `close`, without a lock.
    virtual void on_close() {}

private:
    static RecordingSink& self(td_sink* sink) { return *static_cast<RecordingSink*>(sink); }

    td_status take(td_error* error, auto keep) {
        td_status status;
        {
            const std::lock_guard lock(mutex_);
            status = closed_ ? TD_FAILED : answer_;
            if (status >= 0) keep();
            ++changes_;
        }
        changed_.notify_all();
        if (status < 0 && error != nullptr) {
            *error = {sizeof(td_error), status, 0, {}};
            std::string_view("the test's sink refuses").copy(error->text, sizeof error->text - 1);
        }
        return status;
    }

    static const td_sink_table& functions() {
        static constexpr td_sink_table table{
            sizeof(td_sink_table),
            0,
            [](td_sink* sink, const td_track* track, td_error* error) {
                return self(sink).take(error, [&] { self(sink).tracks_.emplace_back(*track); });
            },
            [](td_sink* sink, const td_packet* const* packets, size_t count, td_error* error) {
                return self(sink).take(error, [&] {
                    ++self(sink).batches_;
                    for (const td_packet* packet : std::span(packets, count)) self(sink).packets_.emplace_back(*packet);
                });
            },
            [](td_sink* sink, td_text key, td_text value) {
                self(sink).take(nullptr, [&] { self(sink).shown_[std::string(string_of(key))] = string_of(value); });
            },
            [](td_sink* sink, td_text reason) {
                {
                    const std::lock_guard lock(self(sink).mutex_);
                    self(sink).closed_ = std::string(string_of(reason));
                    ++self(sink).changes_;
                }
                self(sink).changed_.notify_all();
                self(sink).on_close();
            }};
        return table;
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::uint64_t changes_ = 0;
    std::vector<TrackCopy> tracks_;
    std::vector<PacketCopy> packets_;
    std::size_t batches_ = 0;
    std::map<std::string, std::string> shown_;
    std::optional<std::string> closed_;
    td_status answer_ = TD_OK;
};

}  // namespace tapedeck::testkit
