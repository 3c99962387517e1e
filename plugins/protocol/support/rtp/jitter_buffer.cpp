#include "rtp/jitter_buffer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "rtp/extend.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::size_t first_ring = 16;
constexpr std::int64_t shortest_retry_us = 20'000;
constexpr std::uint32_t most_questions = 10;

}  // namespace

JitterBuffer::JitterBuffer(const JitterLimits& limits)
    : limits_(limits), ring_(first_ring), rtt_us_(limits.first_rtt_us) {}

std::optional<Received>& JitterBuffer::slot(std::int64_t sequence) {
    return ring_[static_cast<std::size_t>(sequence) & (ring_.size() - 1)];
}

JitterBuffer::Answer JitterBuffer::insert(Received received, std::int64_t now_us, bool repeated) {
    const auto wire = received.packet.sequence;
    if (!started_) {
        started_ = true;
        first_us_ = now_us;
        next_ = end_ = std::int64_t{1} << 16 | wire;
    }
    const auto limit = static_cast<std::int64_t>(limits_.packets);
    const auto sequence = received.sequence = nearest<16>(end_, wire);
    // However many steps lead there, the span stays within twice the limit until somebody pops.
    const bool is_wide = std::max(end_, sequence + 1) - std::min(next_, sequence) > 2 * limit;
    if (sequence >= end_ + limit || sequence + limit < next_ || is_wide)
        return repeated ? Answer::old : begin_anew(std::move(received), now_us);
    stray_.reset();
    if (sequence < next_) {
        if (repeated || now_us >= first_us_ + limits_.begin_us) return Answer::old;
        std::vector<Missing> between;
        for (auto at = sequence + 1; at < next_; ++at) between.push_back({at, now_us, 0, 0});
        missing_.insert(missing_.begin(), between.begin(), between.end());
        next_ = sequence;
    } else if (sequence < end_) {
        const auto found = std::lower_bound(missing_.begin(), missing_.end(), sequence,
                                            [](const Missing& m, std::int64_t value) { return m.sequence < value; });
        if (found == missing_.end() || found->sequence != sequence) return Answer::duplicate;
        answered(*found, now_us);
        missing_.erase(found);
    } else {
        for (; end_ < sequence; ++end_) missing_.push_back({end_, now_us, 0, 0});
        ++end_;
    }
    grow(static_cast<std::size_t>(end_ - next_));
    slot(sequence) = std::move(received);
    ++held_;
    return Answer::taken;
}

/// Two in sequence far away from the rest: what is held leaves first, then the new count begins.
JitterBuffer::Answer JitterBuffer::begin_anew(Received received, std::int64_t now_us) {
    const auto wire = received.packet.sequence;
    if (stray_ != wire) {
        stray_ = static_cast<std::uint16_t>(wire + 1);
        return Answer::stray;
    }
    for (auto at = next_; at < end_; ++at) {
        auto& held = slot(at);
        if (!held) {
            ++lost_;
            continue;
        }
        held->lost = std::exchange(lost_, 0);
        anew_.push_back(std::move(*held));
        held.reset();
    }
    held_ = anew_.size();
    missing_.clear();
    ++lost_;  // nobody knows how many
    next_ = end_ = received.sequence;
    return insert(std::move(received), now_us, false);
}

void JitterBuffer::grow(std::size_t span) {
    if (span <= ring_.size()) return;
    std::vector<std::optional<Received>> larger(std::bit_ceil(span));
    for (auto& held : ring_)
        if (held) larger[static_cast<std::size_t>(held->sequence) & (larger.size() - 1)] = std::move(held);
    ring_ = std::move(larger);
}

void JitterBuffer::answered(const Missing& missing, std::int64_t now_us) {
    if (missing.asked != 1) return;  // which question it answers is known of the first alone
    rtt_us_ += (now_us - missing.asked_us - rtt_us_) / 8;
}

std::optional<Received> JitterBuffer::pop(std::int64_t now_us) {
    if (held_ == 0 || now_us < first_us_ + limits_.begin_us) return std::nullopt;
    if (!anew_.empty()) {
        auto first = std::move(anew_.front());
        anew_.erase(anew_.begin());
        --held_;
        return first;
    }
    const auto given_up = std::find_if(missing_.begin(), missing_.end(), [&](const Missing& missing) {
        return missing.seen_us + limits_.time_us > now_us &&
               end_ - missing.sequence <= static_cast<std::int64_t>(limits_.packets);
    });
    const auto waits_for = given_up == missing_.end() ? end_ : given_up->sequence;
    for (; next_ < waits_for && !slot(next_); ++next_) ++lost_;
    missing_.erase(missing_.begin(),
                   std::find_if(missing_.begin(), given_up, [&](const Missing& m) { return m.sequence >= next_; }));
    if (next_ >= waits_for) return std::nullopt;
    auto first = std::exchange(slot(next_++), std::nullopt);
    --held_;
    first->lost = std::exchange(lost_, 0);
    return first;
}

void JitterBuffer::nacks(std::int64_t now_us, std::vector<std::uint16_t>& into) {
    for (auto& missing : missing_) {
        if (now_us < missing.seen_us + limits_.reorder_us || missing.asked >= most_questions) continue;
        if (missing.asked != 0 && now_us < missing.asked_us + std::max(rtt_us_, shortest_retry_us)) continue;
        // The first question is put even where the measured round trip leaves no hope.
        if (missing.asked != 0 && now_us + rtt_us_ > missing.seen_us + limits_.time_us) continue;
        missing.asked_us = now_us;
        ++missing.asked;
        into.push_back(static_cast<std::uint16_t>(missing.sequence & 0xffff));
    }
}

}  // namespace tapedeck::rtp
