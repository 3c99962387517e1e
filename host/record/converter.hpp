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
/// for it. Outlives files: a cut inside a recording begins no encoder anew, unless other tracks are to be converted
/// from there on. Not thread-safe; lives on its recorder.
class Converter {
public:
    using Timed = Interleaver::Timed;

    Converter();
    ~Converter();

    using Options = std::shared_ptr<const td_options>;  ///< of the recording, or null

    /// From now on these; what is converted alike already goes on. A rendition whose transform cannot begin is left
    /// out, with a sentence in `failed`.
    void adopt(const std::vector<Rendition>& renditions, const Options& options, std::vector<std::string>& failed);
    /// Whether the next file, of these, goes on with what is converted.
    bool suits(const std::vector<Rendition>& renditions) const;
    /// Converts one more track from now on, into what can stand in a file whose track is `like`; up to the next file.
    /// False: it cannot.
    bool join(const Rendition& rendition, const Options& options, const TrackSpec& like);
    /// Whether every packet passes as it is.
    bool is_idle() const { return lanes_.empty() && waiting_.empty(); }
    bool converts(std::uint32_t track) const { return find(track) != nullptr; }
    /// False: its track changed to a codec that its transform does not take; adopt anew.
    bool fits(const Timed& timed) const;
    /// How a converted track comes out; lives as long as this object. Null as long as its transform has not said.
    const TrackSpec* output(std::uint32_t track) const;

    /// In order; what is ready comes out at the end of `into`. Throws Error when a transform refuses the packet, which
    /// is lost then.
    void push(Timed timed, std::vector<Timed>& into);
    /// A packet of a converted track that has been in order already; what comes of it comes out at the next push.
    /// Throws as that.
    void feed(const Timed& timed);
    /// What is held back comes out too, and nothing is converted any more. Throws nothing.
    void finish(std::vector<Timed>& into);
    /// Nothing is converted any more, from the instant `at_us` on: what transforms made for before comes out at the end
    /// of `made`, and what is to come after, as it came in, at the end of `rest`, without order. Throws nothing.
    void end(std::int64_t at_us, std::vector<Timed>& made, std::vector<Timed>& rest);

private:
    struct Lane;

    Lane* find(std::uint32_t track) const;
    static bool goes_on(const Lane& lane, const std::vector<Rendition>& renditions);
    void clear();
    void wait(Timed timed);
    void release(std::vector<Timed>& into);

    std::vector<std::unique_ptr<Lane>> lanes_;
    std::deque<TrackSpec> outputs_;  // of all lanes that ever were: packets refer to them
    std::deque<Timed> waiting_;      // by order_us
    std::int64_t newest_us_ = TD_NO_TIME;
    std::int64_t released_us_ = TD_NO_TIME;  // all up to here has come out
};

}  // namespace tapedeck::host
