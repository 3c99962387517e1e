// Which connection publishes which name, so that a dead one can make room.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace tapedeck::rtmp {

/// A publisher that may be asked to go. Any thread.
class Replaceable {
public:
    virtual ~Replaceable() = default;
    /// When its last bytes came.
    virtual std::chrono::steady_clock::time_point last_heard() const = 0;
    /// Ends it soon, on its own thread.
    virtual void replace(const std::string& newcomer) = 0;
};

/// Shared by all io threads.
class Names {
public:
    void add(const std::string& name, std::weak_ptr<Replaceable> publisher);
    /// Nothing happens when the name belongs to another meanwhile.
    void remove(const std::string& name, const Replaceable& publisher);
    /// Asks the publisher of `name` to go when it was silent for longer than `limit`; whether it did.
    bool replace_silent(const std::string& name, std::chrono::microseconds limit, const std::string& newcomer);

private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<Replaceable>> publishers_;
};

}  // namespace tapedeck::rtmp
