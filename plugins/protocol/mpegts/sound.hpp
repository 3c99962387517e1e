// Frames of sound out of PES payloads: AAC in ADTS and LATM, MPEG audio, AC-3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mpegts/latm.hpp"
#include "mpegts/media_out.hpp"
#include "mpegts/psi.hpp"

namespace tapedeck::mpegts {

/// What one frame says of itself.
struct SoundHeader {
    std::size_t size = 0;     ///< of the whole frame
    std::size_t skipped = 0;  ///< bytes in front that do not go into the packet
    std::uint32_t codec = 0;
    std::uint32_t object_type = 0;  ///< of AAC
    std::uint32_t sample_rate = 0, channels = 0, samples = 0;
};

/// The frame at the front; nothing where there is none. Each wants `sound_header_size` bytes or all that there are.
inline constexpr std::size_t sound_header_size = 9;
std::optional<SoundHeader> parse_adts(ByteSpan bytes);        // ISO/IEC 14496-3 section 1.A.2.2
std::optional<SoundHeader> parse_mpeg_audio(ByteSpan bytes);  // ISO/IEC 11172-3 section 2.4.1.3
std::optional<SoundHeader> parse_ac3(ByteSpan bytes);         // ETSI TS 102 366 section 4.4.1

/// One stream of sound. Frames may begin and end anywhere in PES packets; a time is that of the first frame which
/// begins behind it. One thread.
class SoundReader {
public:
    SoundReader(std::uint32_t track, Coding coding);

    /// `pts` unwrapped or not, in 90 kHz.
    void push(ByteSpan payload, std::optional<std::int64_t> pts, MediaOut& out);
    /// Something is missing before the next payload.
    void lose();
    /// Why there are no frames, for people; empty while there are.
    const std::string& problem() const { return problem_; }

private:
    std::optional<SoundHeader> parse(ByteSpan bytes) const;
    std::size_t take(ByteSpan bytes, std::size_t fresh_at, std::optional<std::int64_t>& pts, MediaOut& out);
    void set_time(std::optional<std::int64_t>& pts);
    void latm(ByteSpan element, MediaOut& out);
    void give(ByteSpan payload, std::uint32_t samples, std::uint32_t rate, MediaOut& out);
    void describe(const SoundHeader& header, MediaOut& out);

    const Coding coding_;
    Track track_;
    SoundHeader described_;
    LatmReader latm_;
    std::uint32_t latm_samples_ = 0, latm_rate_ = 0;
    bool announced_ = false;
    bool gap_ = false;
    Bytes rest_;                        // the beginning of a frame
    std::optional<std::int64_t> base_;  // a frame's time
    std::uint64_t samples_since_ = 0;
    std::string problem_;
};

}  // namespace tapedeck::mpegts
