#include "health.hpp"

#include <algorithm>
#include <utility>

namespace tapedeck::rtsp {

std::string in_seconds(std::int64_t us) {
    return std::to_string((us + 500'000) / 1'000'000) + " s";
}

void Health::check(std::int64_t last_media_us, std::int64_t now_us) const {
    if (now_us - std::max(last_media_us, playing_us_) > settings_.timeout_us)
        throw Error("nothing came for " + in_seconds(settings_.timeout_us));
}

std::string Health::problem(const Reception& reception, std::int64_t now_us) const {
    const auto& facts = reception.facts();
    const auto& media = reception.media();
    if (std::none_of(media.begin(), media.end(), [](const Medium& m) { return m.kind == TD_VIDEO; })) return {};
    if (now_us - std::max(facts.last_picture_us, playing_us_) > settings_.timeout_us)
        return "no picture came for " + in_seconds(settings_.timeout_us);
    if (now_us - std::max(facts.last_key_us, playing_us_) > settings_.key_timeout_us)
        return "no key frame came for " + in_seconds(settings_.key_timeout_us);
    return {};
}

std::uint64_t Health::new_jumps(const Reception::Facts& facts, std::int64_t now_us) {
    if (facts.jumps <= jumps_told_ || now_us - jump_told_us_ <= 1'000'000) return 0;
    jump_told_us_ = now_us;
    return facts.jumps - std::exchange(jumps_told_, facts.jumps);
}

}  // namespace tapedeck::rtsp
