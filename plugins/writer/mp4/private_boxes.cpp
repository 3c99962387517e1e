#include "private_boxes.hpp"

#include <algorithm>
#include <array>

namespace tapedeck::mp4 {
namespace {

using Uuid = std::array<std::uint8_t, 16>;
constexpr Uuid memo_id{0x0e, 0x5b, 0xd4, 0x61, 0x8f, 0x3a, 0x4c, 0x12, 0x9d, 0x77, 0x21, 0xa6, 0x5c, 0xe8, 0x4b, 0x01};
constexpr Uuid entry_id{0x0e, 0x5b, 0xd4, 0x61, 0x8f, 0x3a, 0x4c, 0x12, 0x9d, 0x77, 0x21, 0xa6, 0x5c, 0xe8, 0x4b, 0x02};

/// What follows the identifier and a number, when both are there.
bool has_id(View payload, const Uuid& id) {
    return payload.size() >= id.size() + 4 && std::ranges::equal(payload.first(id.size()), id);
}

}  // namespace

void write_memo(BoxWriter& writer, std::string_view memo) {
    const auto uuid = writer.box(fourcc("uuid"));
    writer.bytes(memo_id);
    writer.u32(static_cast<std::uint32_t>(memo.size()));
    writer.text(memo);
    writer.zeros((8 - writer.position() % 8) % 8);
}

std::optional<std::string> parse_memo(View payload) {
    if (!has_id(payload, memo_id)) return std::nullopt;
    ByteReader reader(payload.subspan(memo_id.size()));
    const std::uint32_t size = reader.u32();
    if (size > reader.left()) return std::nullopt;
    const View text = reader.take(size);
    return std::string(text.begin(), text.end());
}

void write_new_entry(BoxWriter& writer, std::uint32_t track_id, View entry) {
    const auto uuid = writer.box(fourcc("uuid"));
    writer.bytes(entry_id);
    writer.u32(track_id);
    writer.bytes(entry);
}

std::optional<NewEntry> parse_new_entry(View payload) {
    if (!has_id(payload, entry_id)) return std::nullopt;
    ByteReader reader(payload.subspan(entry_id.size()));
    NewEntry found;
    found.track_id = reader.u32();
    View rest = reader.rest();
    found.entry.assign(rest.begin(), rest.end());
    return next_box(rest) && rest.empty() ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace tapedeck::mp4
