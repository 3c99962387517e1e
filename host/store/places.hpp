// Keeps the bytes of a file in their places while others read what is still being written.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace tapedeck::host {

/// Shared by the file's writer and its readers. Thread-safe.
class Places : public std::enable_shared_from_this<Places> {
public:
    /// While the result lives, no byte changes its place. Waits for a change that is under way.
    std::shared_ptr<const void> hold();
    /// Runs `move`, which shifts bytes, unless somebody holds them still after `patience`: then false. Throws what it
    /// throws.
    bool change(const std::function<void()>& move, std::chrono::milliseconds patience = std::chrono::seconds(3));
    /// How often they were shifted. Constant under a hold.
    std::uint64_t changes() const;
    /// No other file of this process has it, whatever its name.
    std::uint64_t id() const { return id_; }

private:
    static inline std::atomic<std::uint64_t> next_ = 1;

    const std::uint64_t id_ = next_++;
    mutable std::mutex mutex_;
    std::condition_variable free_;  // nobody holds them
    std::uint64_t holds_ = 0, changes_ = 0;
};

}  // namespace tapedeck::host
