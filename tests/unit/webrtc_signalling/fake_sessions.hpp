// Sessions that do nothing but what a test says.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "webrtc/sessions.hpp"

namespace tapedeck::webrtc {

/// Thread-safe. A test ends every session that it has seen opened, or none of it.
class FakeSessions : public Sessions {
public:
    struct Opened {
        SessionRequest request;
        std::shared_ptr<SessionEvents> events;
    };

    void open(SessionRequest request, std::shared_ptr<SessionEvents> events) override {
        const std::lock_guard lock(mutex_);
        opened_.push_back({std::move(request), std::move(events)});
    }
    void close(const std::string& media_session, const std::string& reason) override {
        const std::lock_guard lock(mutex_);
        closed_.emplace_back(media_session, reason);
    }

    std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return opened_.size();
    }
    /// The `number`th from 0.
    const Opened& at(std::size_t number) const {
        const std::lock_guard lock(mutex_);
        if (opened_.size() <= number) throw std::runtime_error("no session was opened");
        return opened_[number];
    }
    /// Media sessions and reasons.
    std::vector<std::pair<std::string, std::string>> closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

private:
    mutable std::mutex mutex_;
    std::deque<Opened> opened_;  // a deque: tests hold references
    std::vector<std::pair<std::string, std::string>> closed_;
};

}  // namespace tapedeck::webrtc
