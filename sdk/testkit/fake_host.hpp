// A td_host for the tests of a plugin: settings, log, buffers and services, all of which a test can look into.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/buffers.hpp"
#include "testkit/callbacks.hpp"
#include "testkit/fake_http.hpp"
#include "testkit/fake_metrics.hpp"
#include "testkit/fake_streams.hpp"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

/// One host with one context. It must outlive the plugin instance; its destructor releases every stream first. Buffers
/// that a plugin never gave back show in `live_buffers`.
///
///     FakeHost host(extension);
///     host.settings.set("port", "0");
///     table->create(host.table(), host.context(), &self, &error);
class FakeHost {
public:
    struct LogLine {
        std::int32_t level;
        std::string text;
    };

    /// Without declared keys every setting answers TD_NOT_FOUND.
    FakeHost() { FakeMetrics::reset(); }
    explicit FakeHost(const td_extension& extension) : FakeHost() {
        for (std::uint32_t i = 0; i < extension.key_count; ++i) settings.declare(*extension.keys[i]);
    }
    /// The keys of an author's class: a range of td_key, Key or pointers to them, which must outlive this.
    template <class Keys>
    requires requires(const Keys& declared) { declared.begin(); }
    explicit FakeHost(const Keys& declared) : FakeHost() {
        for (const auto& key : declared) {
            if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(key)>>)
                settings.declare(*key);
            else
                settings.declare(key);
        }
    }
    ~FakeHost() {
        streams.release_all();
        drain();
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    const td_host* table() const { return &functions(); }
    const td_context* context() const { return static_cast<const td_context*>(static_cast<const void*>(this)); }

    /// What td_host.cancelled answers.
    void cancel(bool on = true) { cancelled_ = on; }
    /// A service that this host pretends not to have, such as TD_HTTP.
    void without(std::string_view service) { missing_.emplace_back(service); }

    std::vector<LogLine> log() const {
        const std::lock_guard lock(mutex_);
        return log_;
    }
    /// How many lines, of this level or any, have this text in them.
    std::size_t logged(std::string_view part, std::int32_t level = -1) const {
        std::size_t count = 0;
        for (const auto& line : log())
            count += (level < 0 || line.level == level) && line.text.find(part) != std::string::npos;
        return count;
    }
    bool wait_for_log(std::string_view part, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] {
            for (const auto& line : log_)
                if (line.text.find(part) != std::string::npos) return true;
            return false;
        });
    }
    /// Ports told by td_host.listening, by name; waits for one.
    std::uint16_t port(const std::string& name, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [&] { return ports_.contains(name); });
        const auto found = ports_.find(name);
        return found == ports_.end() ? std::uint16_t{0} : found->second;
    }
    std::map<std::string, std::uint16_t> ports() const {
        const std::lock_guard lock(mutex_);
        return ports_;
    }
    /// Buffers of the process that are not given back.
    static long live_buffers() { return CountedBuffer::live; }
    static std::int64_t metric(std::string_view name, std::string_view labels = "") {
        return FakeMetrics::value(name, labels);
    }

    FakeSettings settings;
    FakeStreams streams{callbacks_};
    FakeHttp http{callbacks_};
    /// Waits until all callbacks posted so far have returned.
    void drain() { callbacks_.drain(); }

private:
    static FakeHost& self(const td_context* context) {
        return *const_cast<FakeHost*>(static_cast<const FakeHost*>(static_cast<const void*>(context)));
    }
    void add_line(std::int32_t level, td_text line) {
        {
            const std::lock_guard lock(mutex_);
            log_.push_back({level, std::string(string_of(line))});
        }
        changed_.notify_all();
    }
    void add_port(td_text name, std::uint16_t number) {
        {
            const std::lock_guard lock(mutex_);
            ports_[std::string(string_of(name))] = number;
        }
        changed_.notify_all();
    }
    const void* service(std::string_view id) const {
        static constexpr td_streams streams_table{
            sizeof(td_streams),
            0,
            [](const td_context* context, std::int32_t action, const td_stream_info* info,
               void (*done)(void*, const td_error*),
               void* asker) { self(context).streams.admit(action, *info, done, asker); },
            [](const td_context* context, const td_stream_info* info, const td_publisher* publisher, void* owner) {
                self(context).streams.publish(*info, *publisher, owner);
            },
            [](const td_context* context, const td_stream_info* info, const td_subscriber* subscriber, void* owner) {
                self(context).streams.subscribe(*info, *subscriber, owner);
            },
            [](const td_context* context, td_text name) {
                return self(context).streams.find({name.data, name.size});
            }};
        static constexpr td_http http_table{
            sizeof(td_http),
            0,
            [](const td_context* context, td_text method, td_text path, FakeHttp::Handler handler, void* owner,
               td_error* error) { return self(context).http.route(method, path, handler, owner, error); },
            &FakeHttp::respond,
            [](const td_context* context, td_text path, const td_websocket_handlers* handlers, void* owner,
               td_error* error) { return self(context).http.websocket(path, handlers, owner, error); },
            &FakeHttp::send,
            &FakeHttp::hang_up};
        for (const auto& absent : missing_)
            if (absent == id) return nullptr;
        if (id == TD_STREAMS) return &streams_table;
        if (id == TD_HTTP) return &http_table;
        if (id == TD_METRICS) return &FakeMetrics::table();
        return nullptr;
    }
    static const td_host& functions() {
        static constexpr td_host host{
            sizeof(td_host),
            TD_SDK_MAJOR,
            TD_SDK_MINOR,
            0,
            [](const td_context* context, std::int32_t level, td_text line) { self(context).add_line(level, line); },
            [](const td_context* context, const td_options* options, td_text key, std::int64_t* value) {
                return self(context).settings.integer(options, key, value);
            },
            [](const td_context* context, const td_options* options, td_text key, td_text* value) {
                return self(context).settings.text(options, key, value);
            },
            &CountedBuffer::make,
            &CountedBuffer::ref,
            &CountedBuffer::unref,
            [](const td_context* context) { return self(context).cancelled_ ? std::int32_t{1} : std::int32_t{0}; },
            [](const td_context* context, td_text id) { return self(context).service(string_of(id)); },
            [](const td_context* context, td_text name, std::uint16_t port) { self(context).add_port(name, port); }};
        return host;
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<LogLine> log_;
    std::map<std::string, std::uint16_t> ports_;
    std::vector<std::string> missing_;
    std::atomic<bool> cancelled_{false};
    Callbacks callbacks_;  // ends first, so that all that was posted still finds the rest
};

}  // namespace tapedeck::testkit
