// The few threads on which the HTTP interface does what may wait for a disk or costs milliseconds.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tapedeck::host::api {

/// Runs jobs in order on a fixed number of threads. Thread-safe. The destructor drops jobs that did not begin and waits
/// for the running ones.
class Workers {
public:
    explicit Workers(std::size_t threads = 2, std::size_t most_waiting = 256);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// False when `most_waiting` jobs wait already; the job is dropped.
    bool post(std::function<void()> job);

private:
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> waiting_;
    std::size_t most_waiting_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace tapedeck::host::api
