// Keeps the bytes of a file in their places while others read what is still being written.
#pragma once

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
    /// Runs `move`, which shifts bytes, unless somebody holds them: then false. Throws what it throws.
    bool change(const std::function<void()>& move);
    /// How often they were shifted. Constant under a hold.
    std::uint64_t changes() const;

private:
    mutable std::mutex mutex_;
    std::uint64_t holds_ = 0, changes_ = 0;
};

}  // namespace tapedeck::host
