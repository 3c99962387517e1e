#include "loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace tapedeck::rtsp {

namespace {

constexpr std::int64_t tick_us = 20'000;

}  // namespace

std::int64_t monotonic_us() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

Loop::Loop(Context context)
    : context_(context), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_.get();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) throw Error("epoll cannot be used");
}

Loop::~Loop() {
    stop();
}

void Loop::start() {
    thread_ = Thread(context_, "rtsp", [this](const std::stop_token&) { run(); });
}

void Loop::run() {
    for (bool goes_on = true; goes_on;) {
        turn();
        const std::lock_guard lock(mutex_);
        goes_on = !is_stopping_;
    }
    do {  // what is told meanwhile is still heard
        for (const auto& member : std::vector(members_)) {
            guarded(member, [&] { member->end("the server stops"); });
            remove(*member);
        }
        removed_.clear();
    } while (run_posted());
}

void Loop::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    thread_ = {};
}

bool Loop::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        if (has_stopped_) return false;
        posted_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);  // full: it wakes anyway
    return true;
}

template <class Work>
void Loop::guarded(const std::shared_ptr<Member>& member, Work work) {
    try {
        work();
    } catch (const std::exception& e) {
        context_.error(std::string("a session failed in an unforeseen way: ") + e.what());
        if (member) remove(*member);
    }
}

/// False when there was nothing; while the loop stops, that is the end.
bool Loop::run_posted() {
    std::vector<std::function<void()>> work;
    {
        const std::lock_guard lock(mutex_);
        work.swap(posted_);
        has_stopped_ = is_stopping_ && work.empty();
    }
    for (const auto& one : work) guarded(nullptr, one);
    return !work.empty();
}

void Loop::remove(const Member& member) {
    std::erase_if(watched_, [&](const auto& watched) {
        if (watched.second.get() != &member) return false;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched.first, nullptr);
        return true;
    });
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const auto& one) { return one.get() == &member; });
    if (found == members_.end()) return;
    removed_.push_back(std::move(*found));
    members_.erase(found);
}

void Loop::watch(int descriptor, std::uint32_t events, const std::shared_ptr<Member>& member) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    const bool is_new = watched_.insert_or_assign(descriptor, member).second;
    if (::epoll_ctl(epoll_.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0)
        throw Error("epoll takes no more sockets");
}

void Loop::forget(int descriptor) {
    if (watched_.erase(descriptor) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
}

void Loop::turn() {
    std::array<epoll_event, 128> events{};
    int wait_ms = -1;
    if (!members_.empty())
        wait_ms = static_cast<int>(std::clamp<std::int64_t>((next_tick_us_ - monotonic_us() + 999) / 1000, 0, 20));
    const auto count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
    const auto now_us = monotonic_us();
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == wake_.get()) {
            std::uint64_t woken = 0;
            [[maybe_unused]] const auto got = ::read(wake_.get(), &woken, sizeof woken);
            run_posted();
            continue;
        }
        const auto found = watched_.find(event.data.fd);
        if (found == watched_.end()) continue;
        const auto member = found->second;
        guarded(member, [&] { member->ready(event.data.fd, event.events, now_us); });
    }
    if (now_us >= next_tick_us_) {
        next_tick_us_ = now_us + tick_us;
        for (const auto& member : std::vector(members_)) guarded(member, [&] { member->tick(now_us); });
    }
    removed_.clear();
}

}  // namespace tapedeck::rtsp
