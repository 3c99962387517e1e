#include "boxes.hpp"

namespace tapedeck::mp4 {

BoxWriter::Box BoxWriter::box(std::uint32_t type) {
    const std::size_t at = position();
    u32(0);
    u32(type);
    return {*this, at};
}

BoxWriter::Box BoxWriter::full_box(std::uint32_t type, std::uint8_t version, std::uint32_t flags) {
    const std::size_t at = position();
    u32(0);
    u32(type);
    u32(static_cast<std::uint32_t>(version) << 24 | flags);
    return {*this, at};
}

void BoxWriter::u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
}

void BoxWriter::u32(std::uint32_t value) {
    const std::size_t at = out_.size();
    out_.resize(at + 4);
    put_u32(at, value);
}

void BoxWriter::u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
}

void BoxWriter::put_u32(std::size_t at, std::uint32_t value) {
    out_[at] = static_cast<std::uint8_t>(value >> 24);
    out_[at + 1] = static_cast<std::uint8_t>(value >> 16);
    out_[at + 2] = static_cast<std::uint8_t>(value >> 8);
    out_[at + 3] = static_cast<std::uint8_t>(value);
}

std::optional<BoxHeader> parse_box_header(View data) {
    if (data.size() < box_header_size) return std::nullopt;
    ByteReader fields(data);
    BoxHeader header;
    header.size = fields.u32();
    header.type = fields.u32();
    return header;
}

std::optional<Box> next_box(View& data) {
    const auto header = parse_box_header(data);
    if (!header || header->size < box_header_size || header->size > data.size()) return std::nullopt;
    Box box;
    box.type = header->type;
    box.whole = data.first(header->size);
    box.payload = box.whole.subspan(box_header_size);
    data = data.subspan(header->size);
    return box;
}

std::optional<View> find_box(View data, std::uint32_t type) {
    while (const auto box = next_box(data))
        if (box->type == type) return box->payload;
    return std::nullopt;
}

}  // namespace tapedeck::mp4
