#include "stream/viewer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/guarded.hpp"
#include "base/log.hpp"

namespace tapedeck::host {
namespace {

bool takes(const StreamInfo& viewer, std::uint32_t codec) {
    return viewer.codecs.empty() || std::ranges::find(viewer.codecs, codec) != viewer.codecs.end();
}

Feed::Limits limits_of(const StreamInfo& info, std::size_t queue_bytes) {
    Feed::Limits limits;
    limits.queue_bytes = queue_bytes;
    limits.delay = std::chrono::milliseconds(std::clamp<std::int64_t>(info.delay_us, 0, TD_RECORD_DELAY_US) / 1000);
    limits.is_viewer = true;
    return limits;
}

}  // namespace

const td_subscription_table Viewer::functions{
    sizeof(td_subscription_table), 0,
    [](td_subscription* subscription, const td_packet* const** batch) {
        std::span<const td_packet* const> read;
        guarded(nullptr, [&] { read = static_cast<Viewer*>(subscription)->read(); });
        *batch = read.data();
        return read.size();
    },
    [](td_subscription* subscription, std::uint32_t track) {
        guarded(nullptr, [&] { static_cast<Viewer*>(subscription)->stream_->request_key(track); });
    },
    [](td_subscription* subscription) { guarded(nullptr, [&] { static_cast<Viewer*>(subscription)->close(); }); }};

Viewer::Viewer(StreamInfo info, std::shared_ptr<Stream> stream, std::size_t queue_bytes, Sounds* sounds,
               const td_subscriber* subscriber, void* self, Loop& callbacks, Closed closed)
    : td_subscription{&functions},
      info_(std::move(info)),
      stream_(std::move(stream)),
      subscriber_(subscriber),
      self_(self),
      callbacks_(callbacks),
      closed_(std::move(closed)),
      sounds_(sounds),
      feed_(limits_of(info_, queue_bytes), [this](Feed::Urgency) { subscriber_->ready(self_); }) {}

Viewer::~Viewer() {
    callbacks_.post([subscriber = subscriber_, self = self_] { subscriber->released(self); });
}

bool Viewer::can_play(const StreamInfo& info, const Stream& stream, const Sounds* sounds) {
    const auto tracks = stream.tracks();
    return tracks.empty() || std::ranges::any_of(tracks, [&](const TrackSpec* spec) {
               if (takes(info, spec->track.codec)) return true;
               return spec->track.kind == TD_AUDIO && sounds != nullptr && sounds->codec_for(*spec, info.codecs) != 0;
           });
}

std::vector<const TrackSpec*> Viewer::tracks() const {
    auto tracks = stream_->tracks();
    std::erase_if(tracks, [&](const TrackSpec* spec) { return !takes(info_, spec->track.codec); });
    return tracks;
}

void Viewer::begin() {
    subscriber_->opened(self_, this, nullptr);
    const bool has_key = stream_->attach(feed());
    if (over_.load()) return leave();  // meanwhile, and before it joined
    feed_.tick(std::chrono::steady_clock::now());
    if (has_key) return;
    for (const TrackSpec* spec : tracks()) {
        if (spec->track.kind == TD_VIDEO) return stream_->request_key(spec->track.index);
    }
}

void Viewer::kick(std::string_view reason) {
    if (over_.exchange(true)) return;
    leave();
    log::info("viewer {} of stream '{}' is ended: {}", info_.remote, printable(info_.name), printable(reason));
    callbacks_.post([viewer = shared_from_this(), text = std::string(reason)] {
        if (!viewer->is_closed_.load()) viewer->subscriber_->ended(viewer->self_, text_of(text));
    });
}

/// After `over_` is set, so that no sound is joined any more.
void Viewer::leave() {
    stream_->unsubscribe(feed());
    std::vector<std::shared_ptr<Sound>> heard;
    {
        const std::lock_guard lock(mutex_);
        heard = heard_;
    }
    for (const auto& sound : heard) sound->leave(feed());
}

/// It cannot take this track as it is.
void Viewer::want_sound(const TrackSpec& track) {
    if (sounds_ == nullptr || track.track.kind != TD_AUDIO || std::exchange(last_wanted_, &track) == &track) return;
    const std::uint32_t codec = sounds_->codec_for(track, info_.codecs);
    if (codec == 0) return;
    const auto sound = sounds_->of(stream_, track, codec);
    {
        const std::lock_guard lock(mutex_);
        if (sound == nullptr || over_.load() || std::ranges::find(heard_, sound) != heard_.end()) return;
        heard_.push_back(sound);
    }
    sound_codec_ = codec;
    sound->join(feed());
    if (over_.load()) sound->leave(feed());
}

std::span<const td_packet* const> Viewer::read() {
    readable_.clear();
    batch_.clear();
    feed_.take(batch_);
    std::uint64_t bytes = 0;
    for (Packet& packet : batch_) {
        if (!takes(info_, packet.spec->track.codec)) {
            want_sound(*packet.spec);
            continue;
        }
        if (const TrackSpec*& told = told_[packet.view.track]; told != packet.spec) {
            told = packet.spec;
            packet.view.changed = &packet.spec->track;
            packet.view.flags |= TD_PACKET_CONFIG_CHANGED;
        }
        bytes += packet.view.data_size;
        readable_.push_back(&packet.view);
    }
    packets_.fetch_add(readable_.size(), std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return readable_;
}

void Viewer::close() {
    const auto viewer = shared_from_this();  // the hub forgets it below
    is_closed_ = true;
    if (!over_.exchange(true)) {
        leave();
        log::info("viewer {} of stream '{}' has left", info_.remote, printable(info_.name));
    }
    closed_(*this);
}

}  // namespace tapedeck::host
