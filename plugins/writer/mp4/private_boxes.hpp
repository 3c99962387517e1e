// The `uuid` boxes of our own: what only recovery reads; players skip them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "boxes.hpp"

namespace tapedeck::mp4 {

/// What such a box holds, by the last byte of its identifier.
enum class Private : std::uint8_t {
    Memo = 1,      ///< the host's note
    Entry = 2,     ///< a further `stsd` entry of a track
    Track = 3,     ///< a track that the init moov does not name
    Fragment = 4,  ///< the content of a moof with samples of such tracks, which players would stumble over
};
/// The identifier, the first that stands in the box.
void write_id(BoxWriter& writer, Private kind);
/// What follows the identifier, when it is this one.
std::optional<View> private_content(View payload, Private kind);

/// The host's note inside the init moov. The box ends at a multiple of 8 bytes of the writer's buffer.
void write_memo(BoxWriter& writer, std::string_view memo);
/// The note, when `payload` is that of a memo box.
std::optional<std::string> parse_memo(View payload);

/// A further `stsd` entry of a track. It stands before the first fragment whose samples of the track need it.
struct NewEntry {
    std::uint32_t track_id = 0;
    Bytes entry;
};
void write_new_entry(BoxWriter& writer, std::uint32_t track_id, View entry);
/// The entry, a whole box, when `payload` is that of such a box.
std::optional<NewEntry> parse_new_entry(View payload);

}  // namespace tapedeck::mp4
