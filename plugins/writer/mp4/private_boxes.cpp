#include "private_boxes.hpp"

#include <algorithm>
#include <array>

namespace tapedeck::mp4 {
namespace {

constexpr std::array<std::uint8_t, 15> common_id{0x0e, 0x5b, 0xd4, 0x61, 0x8f, 0x3a, 0x4c, 0x12,
                                                 0x9d, 0x77, 0x21, 0xa6, 0x5c, 0xe8, 0x4b};

}  // namespace

void write_id(BoxWriter& writer, Private kind) {
    writer.bytes(common_id);
    writer.u8(static_cast<std::uint8_t>(kind));
}

std::optional<View> private_content(View payload, Private kind) {
    if (payload.size() <= common_id.size() || payload[common_id.size()] != static_cast<std::uint8_t>(kind) ||
        !std::ranges::equal(payload.first(common_id.size()), common_id)) {
        return std::nullopt;
    }
    return payload.subspan(common_id.size() + 1);
}

void write_memo(BoxWriter& writer, std::string_view memo) {
    const auto uuid = writer.box(fourcc("uuid"));
    write_id(writer, Private::Memo);
    writer.u32(static_cast<std::uint32_t>(memo.size()));
    writer.text(memo);
    writer.zeros((8 - writer.position() % 8) % 8);
}

std::optional<std::string> parse_memo(View payload) {
    const auto content = private_content(payload, Private::Memo);
    if (!content || content->size() < 4) return std::nullopt;
    ByteReader reader(*content);
    const std::uint32_t size = reader.u32();
    if (size > reader.left()) return std::nullopt;
    const View text = reader.take(size);
    return std::string(text.begin(), text.end());
}

void write_new_entry(BoxWriter& writer, std::uint32_t track_id, View entry) {
    const auto uuid = writer.box(fourcc("uuid"));
    write_id(writer, Private::Entry);
    writer.u32(track_id);
    writer.bytes(entry);
}

std::optional<NewEntry> parse_new_entry(View payload) {
    const auto content = private_content(payload, Private::Entry);
    if (!content || content->size() < 4) return std::nullopt;
    ByteReader reader(*content);
    NewEntry found;
    found.track_id = reader.u32();
    View rest = reader.rest();
    found.entry.assign(rest.begin(), rest.end());
    return next_box(rest) && rest.empty() ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace tapedeck::mp4
