#include "head.hpp"

#include <algorithm>
#include <array>

#include "tapedeck/context.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::array<std::uint8_t, 8> note_magic{0xd5, 0x1c, 0x7e, 0xa0, 0x94, 0x3b, 0x62, 0xf9};
constexpr std::size_t duration_size = 11;
constexpr std::size_t before_duration = 8 + 7;  // the header of Info, TimestampScale
constexpr std::size_t slot_overhead = 4 + 4 + 2;
constexpr std::int64_t matroska_epoch_us = 978'307'200'000'000;  // 2001-01-01

void append_track(Bytes& out, const TrackHead& track) {
    Bytes content;
    ElementWriter writer(content);
    const bool video = track.kind == TD_VIDEO, text = track.kind == TD_DATA;
    writer.number(id_track_number, track.number);
    writer.number(id_track_uid, track.number);
    writer.number(id_track_type, video ? type_video : (text ? type_text : type_audio));
    if (!track.is_default) writer.number(id_flag_default, 0);
    writer.number(id_flag_lacing, 0);
    if (!track.name.empty()) writer.text(id_name, track.name);
    writer.text(id_language, "und");
    if (!track.language.empty()) writer.text(id_language_bcp47, track.language);
    writer.text(id_codec_id, track.setup.id);
    if (!track.setup.codec_private.empty()) writer.binary(id_codec_private, track.setup.codec_private);
    if (track.setup.delay_ns != 0) writer.number(id_codec_delay, track.setup.delay_ns);
    if (track.setup.seek_pre_roll_ns != 0) writer.number(id_seek_pre_roll, track.setup.seek_pre_roll_ns);
    if (text) return ElementWriter(out).binary(id_track_entry, content);
    Bytes kind;
    ElementWriter settings(kind);
    if (video) {
        // In four bytes, so that an entry is as long before its size is known.
        settings.number(id_pixel_width, track.size.width, 4);
        settings.number(id_pixel_height, track.size.height, 4);
    } else {
        settings.real(id_sampling_frequency, track.setup.sample_rate);
        if (track.setup.output_rate != 0) settings.real(id_output_sampling_frequency, track.setup.output_rate);
        settings.number(id_channels, track.setup.channels);
        if (track.setup.bit_depth != 0) settings.number(id_bit_depth, track.setup.bit_depth);
    }
    writer.binary(video ? id_video : id_audio, kind);
    ElementWriter(out).binary(id_track_entry, content);
}

Bytes info_bytes(const Head& head) {
    Bytes content;
    ElementWriter writer(content);
    writer.number(id_timestamp_scale, tick_ns, 3);
    writer.filler(duration_size);
    writer.text(id_muxing_app, "Tapedeck " TAPEDECK_VERSION);
    writer.text(id_writing_app, "Tapedeck " TAPEDECK_VERSION);
    if (head.start_us)
        writer.number(id_date_utc, static_cast<std::uint64_t>((*head.start_us - matroska_epoch_us) * 1000), 8);
    Bytes out;
    ElementWriter(out).slot(id_info, content, Layout::info_slot);
    return out;
}

void append_note(Bytes& out, const Head& head, const Layout& layout) {
    ElementWriter(out).header(id_void, layout.note_size - 9, 8);
    out.insert(out.end(), note_magic.begin(), note_magic.end());
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(layout.tracks_size >> shift));
    out.insert(out.end(), head.memo.begin(), head.memo.end());
}

void append(Bytes& out, const Bytes& more) {
    out.insert(out.end(), more.begin(), more.end());
}

/// The content of the element at `at`, when it is whole.
std::optional<View> content_at(View bytes, std::uint64_t at, Id id) {
    if (at >= bytes.size()) return std::nullopt;
    View rest = bytes.subspan(static_cast<std::size_t>(at));
    const auto element = next_element(rest);
    return element && element->id == id ? std::optional(element->content) : std::nullopt;
}

}  // namespace

Bytes ebml_header(std::string_view doc_type) {
    Bytes content;
    ElementWriter writer(content);
    writer.number(id_ebml_version, 1);
    writer.number(id_ebml_read_version, 1);
    writer.number(id_ebml_max_id_length, 4);
    writer.number(id_ebml_max_size_length, 8);
    writer.text(id_doc_type, doc_type);
    writer.number(id_doc_type_version, 4);
    writer.number(id_doc_type_read_version, 2);
    Bytes out;
    ElementWriter(out).binary(id_ebml, content);
    return out;
}

Bytes track_entries(std::span<const TrackHead> tracks) {
    Bytes out;
    for (const TrackHead& track : tracks) append_track(out, track);
    return out;
}

std::uint64_t tracks_slot(std::uint64_t content) {
    return content + slot_overhead;
}

Bytes file_head(const Head& head, const Layout& layout, View entries) {
    Bytes out = ebml_header(head.doc_type);
    ElementWriter(out).header(id_segment, unknown_size, 8);
    append(out, seek_head_bytes(layout, std::nullopt));
    append(out, info_bytes(head));
    append_note(out, head, layout);
    append(out, tracks_bytes(layout, entries));
    ElementWriter(out).header(id_void, layout.cues_room() - 9, 8);
    return out;
}

Bytes tracks_bytes(const Layout& layout, View entries) {
    Bytes out;
    ElementWriter(out).slot(id_tracks, entries, static_cast<std::size_t>(layout.tracks_size));
    return out;
}

Bytes seek_head_bytes(const Layout& layout, std::optional<std::uint64_t> cues_at) {
    Bytes content;
    const auto seek = [&](Id id, std::uint64_t at) {
        Bytes entry;
        ElementWriter writer(entry);
        writer.header(id_seek_id, 4);
        for (int shift = 24; shift >= 0; shift -= 8) entry.push_back(static_cast<std::uint8_t>(id >> shift));
        writer.number(id_seek_position, at - layout.segment_at, 8);
        ElementWriter(content).binary(id_seek, entry);
    };
    seek(id_info, layout.info_at());
    seek(id_tracks, layout.tracks_at());
    if (cues_at) seek(id_cues, *cues_at);
    Bytes out;
    ElementWriter(out).slot(id_seek_head, content, Layout::seek_head_slot);
    return out;
}

Bytes duration_bytes(std::uint64_t ticks) {
    Bytes out;
    ElementWriter(out).real(id_duration, static_cast<double>(ticks));
    return out;
}

std::uint64_t duration_at(const Layout& layout) {
    return layout.info_at() + before_duration;
}

Bytes segment_size_bytes(std::uint64_t size) {
    Bytes out;
    ElementWriter(out).header(id_segment, size, 8);
    return {out.begin() + 4, out.end()};
}

std::uint64_t segment_size_at(const Layout& layout) {
    return layout.segment_at - 8;
}

std::optional<FoundHead> parse_head(View bytes) {
    const auto first = parse_header(bytes);
    if (!first || first->id != id_ebml || first->size > 256) return std::nullopt;
    FoundHead found;
    Layout& layout = found.layout;
    layout.segment_at = first->header_size + first->size + Layout::segment_header;
    if (layout.segment_at > bytes.size()) return std::nullopt;
    const auto segment =
        parse_header(bytes.subspan(static_cast<std::size_t>(layout.segment_at) - Layout::segment_header));
    if (!segment || segment->id != id_segment || segment->header_size != Layout::segment_header) return std::nullopt;

    const auto note = content_at(bytes, layout.note_at(), id_void);
    constexpr std::size_t before_memo = Layout::note_header - 9;
    if (!note || note->size() < before_memo || !std::ranges::equal(note->first(8), note_magic)) return std::nullopt;
    layout.note_size = 9 + note->size();
    layout.tracks_size = Element{0, note->subspan(8, 4)}.number();
    const View memo = note->subspan(before_memo);
    found.memo.assign(memo.begin(), memo.end());

    auto entries = content_at(bytes, layout.tracks_at(), id_tracks);
    if (!entries || tracks_slot(entries->size()) > layout.tracks_size) return std::nullopt;
    while (const auto entry = next_element(*entries)) {
        const auto number = find(entry->content, id_track_number), type = find(entry->content, id_track_type);
        if (entry->id != id_track_entry || !number || !type) continue;
        found.tracks.push_back(number->number());
        if (type->number() == type_video) found.video.push_back(number->number());
        if (type->number() == type_text) found.text.push_back(number->number());
    }
    if (found.tracks.empty()) return std::nullopt;
    return found;
}

}  // namespace tapedeck::ebml
