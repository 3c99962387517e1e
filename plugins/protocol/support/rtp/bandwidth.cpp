#include "rtp/bandwidth.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t burst_us = 5'000, window_us = 500'000, broken_us = 3'000'000;
constexpr double most_groups = 60;  // whose gradients add up to a delay that is told from noise
constexpr double fall_to = 0.85, beyond = 1.5;

}  // namespace

void Bandwidth::packet(std::int64_t sent_us, std::int64_t now_us, std::size_t bytes) {
    count(now_us, bytes);
    if (group_ && std::abs(sent_us - group_->last_sent_us) > broken_us) {  // the sender's clock was set anew
        before_.reset();
        group_.reset();
        filter_ = {};
    }
    if (group_ && sent_us < group_->first_sent_us) return;  // overtaken
    if (group_ && sent_us - group_->first_sent_us <= burst_us) {
        group_->last_sent_us = std::max(group_->last_sent_us, sent_us);
        group_->arrival_us = std::max(group_->arrival_us, now_us);
        return;
    }
    if (before_ && group_) {
        const auto sent = group_->last_sent_us - before_->last_sent_us, came = group_->arrival_us - before_->arrival_us;
        control(filter_.sample(static_cast<double>(came - sent) / 1000, static_cast<double>(came) / 1000), now_us);
    }
    before_ = std::exchange(group_, Group{sent_us, sent_us, now_us});
}

void Bandwidth::count(std::int64_t now_us, std::size_t bytes) {
    if (window_us_ == 0) window_us_ = now_us;
    counted_ += bytes;
    const auto passed = now_us - window_us_;
    if (passed < window_us) return;
    incoming_ = static_cast<double>(counted_) * 8e6 / static_cast<double>(passed);
    window_us_ = now_us;
    counted_ = 0;
}

Bandwidth::Use Bandwidth::Filter::sample(double delay_ms, double step_ms) {
    constexpr double state_noise = 1e-3, chi = 0.01, slow_gain = 0.00018, quick_gain = 0.01, strange_ms = 15;
    const auto innovation = delay_ms - gradient;
    const auto outlier = 3 * std::sqrt(variance);
    const auto noise = std::clamp(innovation, -outlier, outlier);
    const auto alpha = std::pow(1 - chi, 30 * std::clamp(step_ms, 1.0, 100.0) / 1000);
    variance = std::max(alpha * variance + (1 - alpha) * noise * noise, 1.0);
    error += state_noise;
    const auto gain = error / (variance + error);
    gradient += gain * innovation;
    error *= 1 - gain;
    groups += groups < most_groups ? 1 : 0;

    const auto grown = gradient * groups;
    Use use = Use::normal;
    over_ms = grown > threshold ? over_ms + step_ms : 0;
    if (over_ms > 10 && grown >= before)
        use = Use::over;
    else if (grown < -threshold)
        use = Use::under;
    before = grown;
    const auto off = std::abs(grown) - threshold;
    if (off <= strange_ms)
        threshold = std::clamp(threshold + std::clamp(step_ms, 0.0, 100.0) * (off < 0 ? slow_gain : quick_gain) * off,
                               6.0, 600.0);
    return use;
}

/// Section 5.5.
void Bandwidth::control(Use use, std::int64_t now_us) {
    const auto seconds = last_us_ == 0 ? 0 : std::clamp(static_cast<double>(now_us - last_us_) / 1e6, 0.0, 1.0);
    last_us_ = now_us;
    if (use == Use::over) {
        fall();
    } else if (use == Use::under) {
        holds_ = true;
    } else if (holds_) {
        holds_ = false;
    } else if (!is_lossy_) {
        grow(seconds);
    }
}

void Bandwidth::grow(double seconds) {
    if (incoming_ > limit_ * (1 + 3 * std::sqrt(limit_variance_))) limit_ = 0;  // there is more than there was
    const auto most = std::min(beyond * incoming_ + 10'000, limits_.most);
    constexpr double packet_bits = 1200 * 8, response_s = 0.2;
    const auto grown = limit_ > 0 ? rate_ + std::max(1000.0, 0.5 * packet_bits / response_s) * seconds
                                  : rate_ * std::pow(1.08, seconds);
    rate_ = std::max(rate_, std::min(grown, most));
}

void Bandwidth::fall() {
    holds_ = true;
    if (incoming_ == 0) return;
    if (limit_ > 0 && incoming_ < limit_ * (1 - 3 * std::sqrt(limit_variance_))) limit_ = 0;
    if (limit_ == 0) {
        limit_ = incoming_;
        limit_variance_ = 0.01;
    } else {
        const auto off = incoming_ / limit_ - 1;
        limit_variance_ = std::clamp(0.95 * limit_variance_ + 0.05 * off * off, 0.0025, 0.01);
        limit_ = 0.95 * limit_ + 0.05 * incoming_;
    }
    rate_ = std::clamp(fall_to * incoming_, limits_.least, rate_);
}

/// Section 6.
void Bandwidth::loss(std::uint8_t fraction) {
    const auto share = fraction / 256.0;
    is_lossy_ = share > 0.02;
    if (share > 0.1) rate_ = std::max(rate_ * (1 - 0.5 * share), limits_.least);
}

}  // namespace tapedeck::rtp
