#include "record/opening.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tapedeck::host {
namespace {

constexpr std::int64_t head_start_us = 100'000;
constexpr std::int64_t audio_only_after_us = 1'000'000;
constexpr std::size_t most_messages = 64;

}  // namespace

std::optional<Opening::Beginning> Opening::take(Interleaver::Timed timed, const Outlook& outlook) {
    if (timed.packet.is_data()) {
        if (messages_.size() < most_messages) messages_.push_back(std::move(timed));
        return std::nullopt;
    }
    if (timed.packet.is_video_key()) {
        const bool from_the_start = !skips_video_ && !audio_lost_;
        const std::int64_t keep_from = from_the_start ? timed.pts_us - head_start_us : timed.pts_us;
        Beginning beginning{.origin_us = timed.pts_us, .packets = {}};
        for (Interleaver::Timed& audio : std::exchange(audio_, {})) {
            if (audio.pts_us + audio.duration_us <= keep_from) continue;
            if (from_the_start && beginning.packets.empty() && audio.pts_us < timed.pts_us) {
                beginning.origin_us = audio.pts_us;
            }
            beginning.packets.push_back(std::move(audio));
        }
        beginning.packets.push_back(std::move(timed));
        add_messages(beginning);
        return beginning;
    }
    if (timed.packet.is_video()) {
        skips_video_ = true;
        return std::nullopt;
    }
    audio_.push_back(std::move(timed));
    if (outlook.video_comes) {
        while (audio_.size() > outlook.most_audio) {
            audio_.erase(audio_.begin());
            audio_lost_ = true;
        }
        return std::nullopt;
    }
    const bool waited = audio_.back().pts_us - audio_.front().pts_us >= audio_only_after_us;
    return outlook.only_audio_comes || waited ? begin_with_audio() : std::nullopt;
}

std::optional<Opening::Beginning> Opening::end(const Outlook& outlook) {
    return outlook.video_comes || audio_.empty() ? std::nullopt : begin_with_audio();
}

std::optional<Opening::Beginning> Opening::begin_with_audio() {
    Beginning beginning{.origin_us = audio_.front().pts_us, .packets = {}};
    beginning.packets = std::exchange(audio_, {});
    add_messages(beginning);
    return beginning;
}

/// At the origin, behind the packet that lies there.
void Opening::add_messages(Beginning& beginning) {
    std::int64_t ticks = 0;
    for (Interleaver::Timed& message : messages_) {
        ticks = std::max(ticks + 1, to_ticks(beginning.origin_us, message.time_base));
        message.packet.view.dts = message.packet.view.pts = ticks;
        message.order_us = message.pts_us = beginning.origin_us;
    }
    beginning.packets.insert(beginning.packets.begin() + 1, std::make_move_iterator(messages_.begin()),
                             std::make_move_iterator(messages_.end()));
    messages_.clear();
}

void Opening::again() {
    audio_.clear();
    messages_.clear();
    skips_video_ = true;
}

}  // namespace tapedeck::host
