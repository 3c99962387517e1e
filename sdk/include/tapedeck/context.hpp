// What every plugin object works with: errors, settings, log lines, buffers and threads.
#pragma once

#include <pthread.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "tapedeck/abi.h"
#include "tapedeck/key.hpp"

namespace tapedeck {

inline std::string_view view(td_text text) {
    return {text.data == nullptr ? "" : text.data, text.size};
}
inline td_text text_of(std::string_view text) {
    return {text.data(), text.size()};
}

/// What plugins throw and what comes back from the host: the thing, the value, the way out.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& text) : Error(TD_FAILED, text) {}
    Error(td_status status, const std::string& text, bool retryable = false)
        : std::runtime_error(text), status_(status), retryable_(retryable) {}
    explicit Error(const td_error& error) : Error(error.status, error.text, error.retryable != 0) {}

    td_status status() const { return status_; }
    /// Whether the same call may succeed later.
    bool retryable() const { return retryable_; }

private:
    td_status status_;
    bool retryable_;
};

inline td_error empty_error() {
    td_error error{};
    error.size = sizeof error;
    return error;
}

inline td_status fill(td_error* into, td_status status, const char* text, bool retryable = false) noexcept {
    if (into != nullptr) {
        into->status = status;
        into->retryable = retryable ? 1 : 0;
        std::snprintf(into->text, sizeof into->text, "%s", text);
    }
    return status;
}

/// Runs `body` and turns whatever it throws into a status: nothing ever crosses the boundary as an exception.
template <class Body>
[[gnu::visibility("hidden")]] td_status guard(td_error* error, Body body) noexcept {
    try {
        body();
        return TD_OK;
    } catch (const Error& e) {
        return fill(error, e.status(), e.what(), e.retryable());
    } catch (const std::bad_alloc&) {
        return fill(error, TD_NO_MEMORY, "out of memory", true);
    } catch (const std::exception& e) {
        return fill(error, TD_FAILED, e.what());
    } catch (...) {
        return fill(error, TD_FAILED, "an exception of an unknown type");
    }
}

/// Calls a function of the host that takes a td_error last; throws Error when it fails, else gives its status.
template <class Function, class... Args>
[[gnu::visibility("hidden")]] td_status call(Function function, Args... args) {
    td_error error = empty_error();
    const td_status status = function(args..., &error);
    if (status < 0) {
        error.status = status;
        throw Error(error);
    }
    return status;
}

/// A counted block of host memory.
class Buffer {
public:
    Buffer() = default;
    Buffer(const td_host* host, std::size_t capacity) : host_(host), block_(host->buffer_new(capacity)) {
        if (block_ == nullptr) throw std::bad_alloc();
    }
    /// Shares a block that somebody else counts.
    static Buffer share(const td_host* host, td_buffer* block) {
        Buffer buffer;
        buffer.host_ = host;
        buffer.block_ = block;
        if (block != nullptr) host->buffer_ref(block);
        return buffer;
    }
    Buffer(const Buffer& other) : Buffer(share(other.host_, other.block_)) {}
    Buffer(Buffer&& other) noexcept : host_(other.host_), block_(std::exchange(other.block_, nullptr)) {}
    Buffer& operator=(Buffer other) noexcept {
        std::swap(host_, other.host_);
        std::swap(block_, other.block_);
        return *this;
    }
    ~Buffer() {
        if (block_ != nullptr) host_->buffer_unref(block_);
    }

    td_buffer* get() const { return block_; }
    std::uint8_t* data() const { return block_->data; }
    std::size_t capacity() const { return block_ == nullptr ? 0 : block_->capacity; }
    explicit operator bool() const { return block_ != nullptr; }

private:
    const td_host* host_ = nullptr;
    td_buffer* block_ = nullptr;
};

/// The plugin instance's door to the host. Cheap to copy; valid until the instance is destroyed. Any thread.
class Context {
public:
    Context(const td_host* host, const td_context* context, const td_options* options = nullptr)
        : host_(host), context_(context), options_(options) {}
    /// The same with a recording's own settings on top.
    Context with(const td_options* options) const { return {host_, context_, options}; }

    const td_host* host() const { return host_; }
    const td_context* get() const { return context_; }

    /// Settings, by their declaration; the host has checked and converted them. Sizes are bytes.
    std::int64_t integer(const td_key& key) const {
        std::int64_t value = 0;
        check(key, host_->option_int(context_, options_, text_of(key.name), &value));
        return value;
    }
    bool boolean(const td_key& key) const { return integer(key) != 0; }
    std::chrono::microseconds duration(const td_key& key) const { return std::chrono::microseconds(integer(key)); }
    /// Stays valid for ever.
    std::string_view text(const td_key& key) const {
        td_text value{};
        check(key, host_->option_text(context_, options_, text_of(key.name), &value));
        return view(value);
    }
    /// Whether somebody set it, in the file or for this recording.
    bool is_set(const td_key& key) const {
        td_text value{};
        return host_->option_text(context_, options_, text_of(key.name), &value) == TD_OK;
    }

    void debug(std::string_view line) const { host_->log(context_, TD_LOG_DEBUG, text_of(line)); }
    void info(std::string_view line) const { host_->log(context_, TD_LOG_INFO, text_of(line)); }
    void warning(std::string_view line) const { host_->log(context_, TD_LOG_WARNING, text_of(line)); }
    void error(std::string_view line) const { host_->log(context_, TD_LOG_ERROR, text_of(line)); }

    /// Whether the blocking call on this thread should give up.
    bool cancelled() const { return host_->cancelled(context_) != 0; }
    /// A service table such as `service<td_metrics>(TD_METRICS)`, or null where the host has none.
    template <class Table>
    const Table* service(std::string_view id) const {
        return static_cast<const Table*>(host_->service(context_, text_of(id)));
    }
    Buffer buffer(std::size_t capacity) const { return {host_, capacity}; }
    void listening(std::string_view name, std::uint16_t port) const { host_->listening(context_, text_of(name), port); }

private:
    static void check(const td_key& key, td_status status) {
        if (status < 0) throw Error(status, std::string("setting '") + key.name + "' is not declared by this plugin");
    }

    const td_host* host_;
    const td_context* context_;
    const td_options* options_;
};

/// A thread of the plugin, with a name of at most 15 characters for `top -H`. What its body throws is logged and ends
/// only the thread. Stops and joins when destroyed.
class Thread {
public:
    Thread() = default;
    template <class Body>
    Thread(Context context, const char* name, Body body)
        : thread_([context, name, body = std::move(body)](std::stop_token stop) mutable {
              pthread_setname_np(pthread_self(), name);
              td_error error = empty_error();
              if (guard(&error, [&] { body(stop); }) < 0) context.error(std::string("thread ended: ") + error.text);
          }) {}

private:
    std::jthread thread_;
};

}  // namespace tapedeck
