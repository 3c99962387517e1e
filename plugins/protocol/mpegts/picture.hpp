// Pictures out of PES payloads: H.264 and H.265 in byte streams with start codes (Annex B of either).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mpegts/media_out.hpp"
#include "mpegts/psi.hpp"

namespace tapedeck::mpegts {

/// One stream of pictures, whose PES packets hold whole access units: one, or several that begin with delimiters.
/// Parameter sets go into the track's setup, not into the packets. Begins at a key picture, and after a loss again;
/// key are IDR pictures and other random access points, whose leading pictures are then left out. One thread.
class PictureReader {
public:
    PictureReader(std::uint32_t track, Coding coding);

    void push(ByteSpan payload, std::int64_t pts, std::int64_t dts, MediaOut& out);
    /// Something is missing before the next payload.
    void lose() { wants_key_ = gap_ = true; }

    /// Pictures left out because something before them is missing.
    std::uint64_t dropped() const { return dropped_; }
    /// Why there are no pictures, for people; empty while there are.
    std::string problem() const;

private:
    /// Of the picture whose NAL units are gathered.
    struct Gathered {
        std::vector<ByteSpan> nals;
        std::size_t size = 0;
        bool has_slice = false, is_key = false, is_closed = false, has_recovery_point = false;
    };

    void gather(ByteSpan nal);
    void gather_h264(ByteSpan nal, std::uint8_t type);
    void gather_h265(ByteSpan nal, std::uint8_t type);
    void keep_set(std::uint8_t kind, ByteSpan nal);
    void give(std::int64_t pts, std::int64_t dts, MediaOut& out);
    bool is_left_out(const Gathered& picture, std::int64_t pts);
    bool announce(MediaOut& out);

    const bool is_h265_;
    Track track_;
    Gathered picture_;
    std::map<std::uint8_t, std::map<std::uint32_t, Bytes>> sets_;  // by NAL type and id
    std::uint32_t used_sps_ = 0;
    bool sets_changed_ = false, announced_ = false;
    bool wants_key_ = true, gap_ = false;
    std::optional<std::int64_t> leading_before_;  // shown before the key picture that decoding began with
    std::optional<std::int64_t> last_dts_;
    std::int64_t step_ = 3600;  // between pictures
    std::uint64_t dropped_ = 0;
    std::string fault_;
};

}  // namespace tapedeck::mpegts
