// What stands before the clusters (RFC 9559 section 5.1): EBML header, SeekHead, Info, the note and Tracks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codecs.hpp"
#include "elements.hpp"
#include "layout.hpp"
#include "pictures.hpp"

namespace tapedeck::ebml {

/// Times in the file are milliseconds.
inline constexpr std::uint64_t tick_ns = 1'000'000;

/// A track as its TrackEntry says it.
struct TrackHead {
    std::uint64_t number = 1;  ///< 1, 2, ...
    std::uint32_t kind = 0;    ///< TD_VIDEO, TD_AUDIO or, timed text, TD_DATA
    bool is_default = false;   ///< the first of its kind; text is shown only when it is asked for
    PictureSize size;          ///< of video
    CodecSetup setup;
    std::string name, language;  ///< shown to people; BCP 47; both may be empty
};

struct Head {
    std::string doc_type;                  ///< `webm` or `matroska`
    std::string memo;                      ///< the host's note of all facts
    std::optional<std::int64_t> start_us;  ///< UNIX microseconds, for DateUTC
};

Bytes ebml_header(std::string_view doc_type);
/// All TrackEntry elements, the content of Tracks.
Bytes track_entries(std::span<const TrackHead> tracks);
/// What a Tracks slot for this content must have at least; twice that is kept for tracks that join later.
std::uint64_t tracks_slot(std::uint64_t content);

/// Everything up to and with the header of the Void in the Cues slot. While recording, the Segment has no size and a
/// Void is in the place of Duration.
Bytes file_head(const Head& head, const Layout& layout, View entries);
/// The Tracks slot anew. `entries` fits: `tracks_slot(entries.size())` does not exceed `layout.tracks_size`.
Bytes tracks_bytes(const Layout& layout, View entries);

/// The SeekHead slot; `cues_at`, from the start of the file, when there are Cues.
Bytes seek_head_bytes(const Layout& layout, std::optional<std::uint64_t> cues_at);
/// Duration, in place of its Void: the bytes and where they go.
Bytes duration_bytes(std::uint64_t ticks);
std::uint64_t duration_at(const Layout& layout);
/// The size of the Segment and where it goes.
Bytes segment_size_bytes(std::uint64_t size);
std::uint64_t segment_size_at(const Layout& layout);

/// What a head that this writer made says, with `data_at` and `data_size` still unknown.
struct FoundHead {
    Layout layout;
    std::string memo;
    std::vector<std::uint64_t> video;   ///< numbers of the video tracks
    std::vector<std::uint64_t> text;    ///< numbers of the tracks of text
    std::vector<std::uint64_t> tracks;  ///< numbers of all tracks
};
/// The head at the front of these bytes, which may go on behind it. Nothing when it is none of this writer or is not
/// whole. Never throws.
std::optional<FoundHead> parse_head(View bytes);

}  // namespace tapedeck::ebml
