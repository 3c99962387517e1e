// Decides with which packets a file begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "record/interleaver.hpp"

namespace tapedeck::host {

/// A file with video begins at a key frame; audio that came up to 0.1 s before the first picture of the stream belongs
/// to it, audio before a later key frame does not, but for the frame that is heard across it. A file without video
/// begins with the first audio, once it is clear that no video comes: when the publisher said so, or after a second.
/// Messages of data tracks that came before are said at its beginning.
/// Not thread-safe; lives on its recorder.
class Opening {
public:
    /// What is known of the stream at the moment.
    struct Outlook {
        bool video_comes;        ///< a video track was announced or promised
        bool only_audio_comes;   ///< the publisher said what comes, and it is no video
        std::size_t most_audio;  ///< packets that are kept while the key frame is awaited (R34)
    };
    struct Beginning {
        std::int64_t origin_us;  ///< the stream's time that is 0 in the file
        std::vector<Interleaver::Timed> packets;
    };

    /// The next packet of the stream, in order. Nothing: the beginning is not there yet.
    std::optional<Beginning> take(Interleaver::Timed timed, const Outlook& outlook);
    /// The stream ends: what there is, if it is audio of a stream without video.
    std::optional<Beginning> end(const Outlook& outlook);
    /// The next file begins in the midst of the stream.
    void again();

    /// Whether pictures were passed over because no key frame has come.
    bool skips_video() const { return skips_video_; }

private:
    std::optional<Beginning> begin_with_audio();
    void add_messages(Beginning& beginning);

    std::vector<Interleaver::Timed> audio_, messages_;
    bool audio_lost_ = false;
    bool skips_video_ = false;
};

}  // namespace tapedeck::host
