// Reads many quiet sockets from one shared timer instead of at each arrival.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace tapedeck::rtmp {

/// Somebody whose socket is read by the clock.
class TimedReader {
public:
    virtual ~TimedReader() = default;
    /// Reads what has come; how many bytes. May leave the timed reads from inside.
    virtual std::size_t timed_read() = 0;
};

/// How long to wait after a read of `bytes`: at most `longest`, shorter while much comes, so that a fast sender is
/// neither slowed by a full socket nor read in small pieces. Intervals are halves of halves of `longest`, so that the
/// readers' times coincide.
std::chrono::microseconds next_interval(std::chrono::microseconds current, std::chrono::microseconds longest,
                                        std::size_t bytes);
/// The first multiple of `interval` after `now`.
std::chrono::steady_clock::time_point next_time(std::chrono::steady_clock::time_point now,
                                                std::chrono::microseconds interval);

/// One per io thread; used on it.
class TimedReads {
public:
    explicit TimedReads(boost::asio::io_context& context) : timer_(context) {}

    /// `longest` is above 0. The first intervals are short: encoders begin with a burst.
    void add(std::shared_ptr<TimedReader> reader, std::chrono::microseconds longest);
    void remove(const TimedReader& reader);
    void stop();

private:
    struct Entry {
        std::shared_ptr<TimedReader> reader;  // null: removed while the list was walked
        std::chrono::microseconds interval{}, longest{};
        std::chrono::steady_clock::time_point due;
    };
    void tick();
    void arm();

    boost::asio::steady_timer timer_;
    std::vector<Entry> entries_;
    bool is_walking_ = false;
};

}  // namespace tapedeck::rtmp
