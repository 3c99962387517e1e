#include "record/live_sound.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "record/converter.hpp"
#include "record/interleaver.hpp"

namespace tapedeck::host {
namespace {

Feed::Limits limits() {
    Feed::Limits limits;
    limits.queue_bytes = 4u << 20;
    limits.delay = std::chrono::milliseconds(20);  // a packet of sound, so that pictures between wake nobody
    limits.is_viewer = true;
    return limits;
}

}  // namespace

class LiveSounds::Made : public Sound, public MediaTask, public std::enable_shared_from_this<Made> {
public:
    Made(std::shared_ptr<Stream> stream, const TrackSpec& track, std::uint32_t codec, const Extension& transform,
         MediaPool& pool)
        : stream_(std::move(stream)),
          track_(track.track.index),
          codec_(codec),
          transform_(transform),
          pool_(pool),
          feed_(limits(),
                [this](Feed::Urgency urgency) { pool_.wake(shared_from_this(), urgency == Feed::Urgency::Now); }) {}

    void join(const std::shared_ptr<Feed>& feed) override {
        {
            const std::lock_guard lock(mutex_);
            listeners_.push_back(feed);
            if (listeners_.size() > 1) return;
        }
        settle();
    }
    void leave(const std::shared_ptr<Feed>& feed) override {
        {
            const std::lock_guard lock(mutex_);
            std::erase(listeners_, feed);
            if (!listeners_.empty()) return;
        }
        settle();
    }

    void run() override {
        batch_.clear();
        feed_.take(batch_);
        for (Packet& packet : batch_) {
            if (packet.view.track == track_) order_.push(std::move(packet));
        }
        batch_.clear();
        order_.drain(timed_);
        std::vector<Packet> made;
        for (auto& timed : timed_) {
            try {
                convert(std::move(timed), made);
            } catch (const Error& e) {
                log::debug("the sound of stream '{}' for viewers: {}", printable(stream_->info().name), e.what());
            }
        }
        timed_.clear();
        if (made.empty()) return;
        std::vector<std::shared_ptr<Feed>> listeners;
        {
            const std::lock_guard lock(mutex_);
            listeners = listeners_;
        }
        const Feed::Arrival arrival{.has_video = false, .is_ahead = false, .now = std::chrono::steady_clock::now()};
        for (const auto& listener : listeners) listener->push(made, arrival);
    }
    std::uint64_t device() const override { return 0; }

private:
    /// Joins the stream while anybody listens. Two that come at once settle on what the later one finds.
    void settle() {
        const std::lock_guard one(settling_);
        bool wanted = false;
        {
            const std::lock_guard lock(mutex_);
            wanted = !listeners_.empty();
        }
        if (std::exchange(joined_, wanted) == wanted) return;
        const std::shared_ptr<Feed> feed(shared_from_this(), &feed_);
        if (wanted) {
            stream_->attach(feed);
        } else {
            stream_->unsubscribe(feed);
        }
    }

    void convert(Converter::Timed timed, std::vector<Packet>& made) {
        if (converter_.is_idle() || !converter_.fits(timed)) {
            const TrackSpec* spec = timed.packet.spec;
            if (spec->track.codec == codec_ || spec == hopeless_) return;  // viewers take it as it is, or cannot
            std::vector<std::string> failed;
            converter_.adopt({}, nullptr, failed);
            converter_.adopt({{spec, codec_, &transform_}}, nullptr, failed);
            if (!failed.empty()) {
                hopeless_ = spec;
                return log::warning("viewers of stream '{}' hear nothing: {}", printable(stream_->info().name),
                                    failed[0]);
            }
        }
        converter_.push(std::move(timed), out_);
        for (auto& one : out_) {
            td_packet& packet = one.packet.view;
            const td_rational time_base = one.packet.spec->track.time_base;
            for (std::int64_t* time : {&packet.pts, &packet.dts, &packet.duration}) {
                *time = rescale(*time, one.time_base, time_base);
            }
            made.push_back(std::move(one.packet));
        }
        out_.clear();
    }

    const std::shared_ptr<Stream> stream_;
    const std::uint32_t track_, codec_;
    const Extension& transform_;
    MediaPool& pool_;
    Feed feed_;

    std::mutex settling_;  // held over the stream's own, never over that of listeners
    bool joined_ = false;
    std::mutex mutex_;
    std::vector<std::shared_ptr<Feed>> listeners_;

    std::vector<Packet> batch_;  // of the pool's run, as are those below
    Interleaver order_;
    std::vector<Interleaver::Timed> timed_, out_;
    Converter converter_;
    const TrackSpec* hopeless_ = nullptr;
};

std::uint32_t LiveSounds::codec_for(const TrackSpec& track, std::span<const std::uint32_t> codecs) const {
    const auto found = std::ranges::find_if(
        codecs, [&](std::uint32_t codec) { return policy_.transform(track, codec, nullptr) != nullptr; });
    return found == codecs.end() ? 0 : *found;
}

std::shared_ptr<Sound> LiveSounds::of(const std::shared_ptr<Stream>& stream, const TrackSpec& track,
                                      std::uint32_t codec) {
    const Extension* transform = policy_.transform(track, codec, nullptr);
    if (transform == nullptr) return nullptr;
    const std::lock_guard lock(mutex_);
    std::erase_if(made_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Made>& place = made_[{stream.get(), track.track.index, codec}];
    auto sound = place.lock();
    if (sound == nullptr) {
        sound = std::make_shared<Made>(stream, track, codec, *transform, pool_);
        place = sound;
    }
    return sound;
}

}  // namespace tapedeck::host
