// EBML (RFC 8794): elements of id, size and content, built into one buffer and read out of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ebml {

using View = ByteSpan;

/// Ids as they stand in the file, their length marker included (RFC 8794 section 11, RFC 9559 section 5.1).
enum Id : std::uint32_t {
    id_ebml = 0x1a45dfa3,
    id_ebml_version = 0x4286,
    id_ebml_read_version = 0x42f7,
    id_ebml_max_id_length = 0x42f2,
    id_ebml_max_size_length = 0x42f3,
    id_doc_type = 0x4282,
    id_doc_type_version = 0x4287,
    id_doc_type_read_version = 0x4285,
    id_void = 0xec,
    id_segment = 0x18538067,
    id_seek_head = 0x114d9b74,
    id_seek = 0x4dbb,
    id_seek_id = 0x53ab,
    id_seek_position = 0x53ac,
    id_info = 0x1549a966,
    id_timestamp_scale = 0x2ad7b1,
    id_duration = 0x4489,
    id_date_utc = 0x4461,
    id_muxing_app = 0x4d80,
    id_writing_app = 0x5741,
    id_tracks = 0x1654ae6b,
    id_track_entry = 0xae,
    id_track_number = 0xd7,
    id_track_uid = 0x73c5,
    id_track_type = 0x83,
    id_flag_default = 0x88,
    id_flag_lacing = 0x9c,
    id_name = 0x536e,
    id_language = 0x22b59c,
    id_language_bcp47 = 0x22b59d,
    id_codec_id = 0x86,
    id_codec_private = 0x63a2,
    id_codec_delay = 0x56aa,
    id_seek_pre_roll = 0x56bb,
    id_video = 0xe0,
    id_pixel_width = 0xb0,
    id_pixel_height = 0xba,
    id_audio = 0xe1,
    id_sampling_frequency = 0xb5,
    id_output_sampling_frequency = 0x78b5,
    id_channels = 0x9f,
    id_bit_depth = 0x6264,
    id_cluster = 0x1f43b675,
    id_timestamp = 0xe7,
    id_simple_block = 0xa3,
    id_block_group = 0xa0,
    id_block = 0xa1,
    id_block_duration = 0x9b,
    id_reference_block = 0xfb,
    id_discard_padding = 0x75a2,
    id_cues = 0x1c53bb6b,
    id_cue_point = 0xbb,
    id_cue_time = 0xb3,
    id_cue_track_positions = 0xb7,
    id_cue_track = 0xf7,
    id_cue_cluster_position = 0xf1,
};

/// What a track is (RFC 9559 section 5.1.4.1.3).
enum TrackType : std::uint8_t { type_video = 1, type_audio = 2, type_text = 17 };

/// A size of eight bytes that says «not known» (RFC 8794 section 6.2).
inline constexpr std::uint64_t unknown_size = (std::uint64_t{1} << 56) - 1;

/// How many bytes a size takes at least: 1 to 8.
unsigned size_width(std::uint64_t size);

/// Appends elements to a buffer of the caller, which must outlive it.
class ElementWriter {
public:
    explicit ElementWriter(Bytes& out) : out_(out) {}

    /// An id and a size; the content follows. A `width` of 0 is the least.
    void header(Id id, std::uint64_t size, unsigned width = 0);
    void number(Id id, std::uint64_t value);
    /// In exactly so many bytes.
    void number(Id id, std::uint64_t value, unsigned width);
    void signed_number(Id id, std::int64_t value);
    void real(Id id, double value);
    void text(Id id, std::string_view value);
    void binary(Id id, View value);
    /// A Void that takes `size` bytes with its header, at least 2.
    void filler(std::uint64_t size);
    /// A master element and then a Void, together of exactly `size` bytes; the content must leave 12 of them.
    void slot(Id id, View content, std::size_t size);

private:
    void big_endian(std::uint64_t value, unsigned width);

    Bytes& out_;
};

struct ElementHeader {
    std::uint32_t id = 0;
    std::uint64_t size = 0;       ///< of the content; `unknown_size` is one too
    std::size_t header_size = 0;  ///< bytes of id and size
};

/// The header that `bytes` begin with; nothing when they are too few or are none. Never throws.
std::optional<ElementHeader> parse_header(View bytes);

/// An element inside a parsed master.
struct Element {
    std::uint32_t id = 0;
    View content;

    /// The content as an unsigned number; its last 8 bytes when it is longer.
    std::uint64_t number() const;
};

/// Takes the next whole element from the front of `rest`; nothing at the end and where the bytes are none.
std::optional<Element> next_element(View& rest);

/// The first element with this id among the content of a master.
std::optional<Element> find(View content, Id id);

}  // namespace tapedeck::ebml
