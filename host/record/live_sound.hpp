// Sound that viewers cannot take, encoded once for all of them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "record/media_pool.hpp"
#include "record/policy.hpp"
#include "stream/sound.hpp"
#include "stream/stream.hpp"

namespace tapedeck::host {

/// Transforms run on the media pool, never on a thread that publishes or plays. Made before the first viewer and
/// destroyed after the last.
class LiveSounds : public Sounds {
public:
    LiveSounds(const Policy& policy, MediaPool& pool) : policy_(policy), pool_(pool) {}

    std::uint32_t codec_for(const TrackSpec& track, std::span<const std::uint32_t> codecs) const override;
    std::shared_ptr<Sound> of(const std::shared_ptr<Stream>& stream, const TrackSpec& track,
                              std::uint32_t codec) override;

private:
    class Made;
    using Key = std::tuple<const Stream*, std::uint32_t, std::uint32_t>;  // stream, track, codec

    const Policy& policy_;
    MediaPool& pool_;
    std::mutex mutex_;
    std::map<Key, std::weak_ptr<Made>> made_;
};

}  // namespace tapedeck::host
