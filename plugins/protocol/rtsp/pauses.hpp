// How long a camera that failed is left alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "sources/back_off.hpp"

namespace tapedeck::rtsp {

/// Times in microseconds. One thread.
class Pauses {
public:
    /// `longest_us`: the setting `longest_pause`.
    explicit Pauses(std::int64_t longest_us)
        : longest_us_(longest_us), back_off_(std::chrono::microseconds(longest_us)) {}

    /// Until the next attempt. A password that was right before may be refused once by a camera that starts.
    std::int64_t next_us(bool is_password) {
        if (!is_password) return back_off_.next().count();
        const auto refusals = refusals_++;
        if (refusals == 0) return longest_us_;
        const auto first_us = longest_us_ * password_pauses;
        return std::min(first_us << std::min(refusals - 1, 12), std::max(first_us, longest_password_pause_us));
    }
    void media_came() { back_off_.reset(); }
    void password_was_right() { refusals_ = 0; }
    /// Another address or login: nothing is known of it.
    void forget() {
        back_off_.reset();
        refusals_ = 1;
    }

private:
    // Many cameras lock a login that fails five times within half an hour or so.
    static constexpr std::int64_t password_pauses = 30, longest_password_pause_us = 3'600'000'000;

    std::int64_t longest_us_;
    sources::BackOff back_off_;
    int refusals_ = 1;  // of the password, and one until it was once accepted
};

}  // namespace tapedeck::rtsp
