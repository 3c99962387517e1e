// The threads that write recordings.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tapedeck::host {

/// Work that is done one run at a time, on whatever thread is free.
class MediaTask {
public:
    virtual ~MediaTask() = default;
    /// Does what there is to do now. Must not throw.
    virtual void run() = 0;
    /// The file system it writes to (st_dev); 0: none yet.
    virtual std::uint64_t device() const = 0;

private:
    friend class MediaPool;
    enum class State { Idle, Waiting, Running, Again };
    std::atomic<State> state_ = State::Idle;
};

/// All threads but one at most write to one file system at a time, so that a hung disk stops only its own recordings.
/// Thread-safe. The destructor lets running tasks end and forgets the others.
class MediaPool {
public:
    /// At least two threads.
    explicit MediaPool(std::size_t threads);
    ~MediaPool();
    MediaPool(const MediaPool&) = delete;
    MediaPool& operator=(const MediaPool&) = delete;

    /// Begins nothing more. False when a running task does not end in time: then a disk hangs, and so would the
    /// destructor.
    bool stop(std::chrono::milliseconds limit);

    /// Runs it; once more when it is running now. What is not urgent waits up to 25 ms for others, because waking a
    /// thread for each task costs more than the task. Never waits itself.
    void wake(const std::shared_ptr<MediaTask>& task, bool urgent = true);

private:
    void work();
    /// Runs tasks until none can be run; the lock is let go meanwhile.
    void drain(std::unique_lock<std::mutex>& lock);
    /// The first task whose file system has a thread to spare.
    std::deque<std::shared_ptr<MediaTask>>::iterator runnable();

    const std::size_t most_in_one_;  // threads in one file system: all but one
    std::mutex mutex_;
    std::condition_variable changed_, ended_;
    bool stopping_ = false;
    bool told_ = false;       // a thread was woken and has not looked yet
    bool gathering_ = false;  // a thread waits for more tasks before it begins
    bool urgent_ = false;     // it should not
    std::deque<std::shared_ptr<MediaTask>> waiting_;
    std::map<std::uint64_t, std::size_t> busy_;  // threads in each file system
    std::vector<std::thread> threads_;
};

}  // namespace tapedeck::host
