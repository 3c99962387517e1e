// Sound in other codecs for viewers: what the stream knows of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "stream/feed.hpp"
#include "stream/packet.hpp"

namespace tapedeck::host {

class Stream;

/// One track of sound on its way into another codec, once for all viewers who need it. Its packets refer to it, so a
/// viewer keeps it. Thread-safe.
class Sound {
public:
    virtual ~Sound() = default;
    /// From now on this feed gets what comes out, under the source's track index.
    virtual void join(const std::shared_ptr<Feed>& feed) = 0;
    virtual void leave(const std::shared_ptr<Feed>& feed) = 0;
};

/// Thread-safe; asks transforms, so it is called without a lock.
class Sounds {
public:
    virtual ~Sounds() = default;
    /// The first of these codecs that the track can be turned into; 0: none.
    virtual std::uint32_t codec_for(const TrackSpec& track, std::span<const std::uint32_t> codecs) const = 0;
    /// The track in that codec; the same one for all who ask while somebody holds it. Null: nothing makes it.
    virtual std::shared_ptr<Sound> of(const std::shared_ptr<Stream>& stream, const TrackSpec& track,
                                      std::uint32_t codec) = 0;
};

}  // namespace tapedeck::host
