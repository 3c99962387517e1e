// Brings tracks of a recording into codecs that its container takes, between their order and the file.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "plugin/transform.hpp"
#include "record/interleaver.hpp"
#include "record/policy.hpp"

namespace tapedeck::host {

/// What comes out of a transform a little later than the rest is put into order again; nothing waits longer than 0.3 s
/// for it. Outlives files: a cut inside a recording begins no encoder anew. Not thread-safe; lives on its recorder.
class Converter {
public:
    using Timed = Interleaver::Timed;

    Converter();
    ~Converter();

    /// From now on these; what is converted alike already goes on. `options` may be null. A rendition whose transform
    /// cannot begin is left out, with a sentence in `failed`.
    void adopt(const std::vector<Rendition>& renditions, const td_options* options, std::vector<std::string>& failed);
    /// Whether every packet passes as it is.
    bool is_idle() const { return lanes_.empty() && waiting_.empty(); }
    bool converts(std::uint32_t track) const { return find(track) != nullptr; }
    /// False: the codec of its track is no longer the one that was converted; adopt anew.
    bool fits(const Timed& timed) const;
    /// Whether packets of this track came out of a transform.
    bool made(const TrackSpec* spec) const;
    /// How a converted track comes out; lives as long as this object. Null as long as its transform has not said.
    const TrackSpec* output(std::uint32_t track) const;

    /// In order; what is ready comes out at the end of `into`. Throws Error when a transform refuses the packet, which
    /// is lost then.
    void push(Timed timed, std::vector<Timed>& into);
    /// What is held back comes out too, and nothing is converted any more. Throws nothing.
    void finish(std::vector<Timed>& into);

private:
    struct Lane;

    Lane* find(std::uint32_t track) const;
    void wait(Timed timed);
    void release(std::vector<Timed>& into);

    std::vector<std::unique_ptr<Lane>> lanes_;
    std::deque<TrackSpec> outputs_;  // of all lanes that ever were: packets refer to them
    std::deque<Timed> waiting_;      // by order_us
    std::int64_t newest_us_ = TD_NO_TIME;
};

}  // namespace tapedeck::host
