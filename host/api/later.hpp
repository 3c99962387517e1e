// A value that another thread gives to a waiting coroutine.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace tapedeck::host::api {

/// One value, one waiting coroutine. The giving side holds a `Slot` and may come late or never: after the coroutine
/// ended, and even after its io_context is gone, giving does nothing.
template <class Value>
class Later {
    struct State {
        std::mutex mutex;
        boost::asio::steady_timer* timer = nullptr;  // null once nobody waits any more
        bool waits = false;
        std::optional<Value> value;
    };

public:
    class Slot {
    public:
        /// The first value counts. Any thread.
        void give(Value value) const {
            const std::lock_guard lock(state_->mutex);
            if (state_->timer == nullptr || state_->value) return;
            state_->value = std::move(value);
            if (!state_->waits) return;  // it is there when it is asked for
            boost::asio::post(state_->timer->get_executor(), [state = state_] {
                const std::lock_guard again(state->mutex);
                if (state->timer != nullptr) state->timer->cancel();
            });
        }

    private:
        friend class Later;
        explicit Slot(std::shared_ptr<State> state) : state_(std::move(state)) {}
        std::shared_ptr<State> state_;
    };

    /// `executor` is the waiting coroutine's own and runs one thing at a time.
    explicit Later(const boost::asio::any_io_executor& executor) : timer_(executor), state_(std::make_shared<State>()) {
        state_->timer = &timer_;
    }
    ~Later() {
        const std::lock_guard lock(state_->mutex);
        state_->timer = nullptr;
    }
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;

    Slot slot() const { return Slot(state_); }

    /// Nothing when `limit` passed first.
    boost::asio::awaitable<std::optional<Value>> wait(std::chrono::milliseconds limit) {
        if (auto value = take_or_wait()) co_return value;
        timer_.expires_after(limit);
        co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        co_return take_or_wait();
    }

    /// Ends `wait` at once, with nothing. On the coroutine's executor.
    void cancel() { timer_.cancel(); }

private:
    std::optional<Value> take_or_wait() {
        const std::lock_guard lock(state_->mutex);
        state_->waits = true;
        return std::exchange(state_->value, std::nullopt);
    }

    boost::asio::steady_timer timer_;
    std::shared_ptr<State> state_;
};

}  // namespace tapedeck::host::api
