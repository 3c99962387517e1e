// One thread that waits for sockets, and what lives on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "socket.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

/// Microseconds of the steady clock.
std::int64_t monotonic_us();

/// What lives on a loop, and is called there alone.
class Member {
public:
    virtual ~Member() = default;
    /// A socket that it watches can be read or written.
    virtual void ready(int descriptor, std::uint32_t events, std::int64_t now_us) = 0;
    /// Fifty times a second.
    virtual void tick(std::int64_t now_us) = 0;
    /// The loop stops; it is removed afterwards.
    virtual void end(const std::string& reason) = 0;
};

/// All but the functions marked [any] and [control] are for its own thread. What a member throws is logged and removes
/// that member alone.
class Loop {
public:
    explicit Loop(Context context);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void start();                           // [control]
    void stop();                            // [control] Ends its members and joins
    bool post(std::function<void()> work);  // [any] False, and nothing is done, once the loop has stopped

    void add(std::shared_ptr<Member> member) { members_.push_back(std::move(member)); }
    /// At once, with its sockets; the loop keeps it until its present turn is over.
    void remove(const Member& member);

    /// `events` as epoll has them, level-triggered; again for the same socket to change them.
    void watch(int descriptor, std::uint32_t events, const std::shared_ptr<Member>& member);
    void forget(int descriptor);

private:
    void turn();
    bool run_posted();
    void run();
    template <class Work>
    void guarded(const std::shared_ptr<Member>& member, Work work);

    Context context_;
    Descriptor epoll_, wake_;
    std::vector<std::shared_ptr<Member>> members_, removed_;
    std::unordered_map<int, std::shared_ptr<Member>> watched_;
    std::int64_t next_tick_us_ = 0;
    std::mutex mutex_;  // of the rest
    std::vector<std::function<void()>> posted_;
    bool is_stopping_ = false, has_stopped_ = false;
    Thread thread_;
};

}  // namespace tapedeck::rtsp
