#include "elements.hpp"

#include <bit>

namespace tapedeck::ebml {
namespace {

unsigned number_width(std::uint64_t value) {
    unsigned width = 1;
    while (width < 8 && value >> (8 * width) != 0) ++width;
    return width;
}

}  // namespace

unsigned size_width(std::uint64_t size) {
    unsigned width = 1;
    // All ones would be the unknown size.
    while (width < 8 && size >= (std::uint64_t{1} << (7 * width)) - 1) ++width;
    return width;
}

void ElementWriter::big_endian(std::uint64_t value, unsigned width) {
    while (width-- > 0) out_.push_back(static_cast<std::uint8_t>(value >> (8 * width)));
}

void ElementWriter::header(Id id, std::uint64_t size, unsigned width) {
    if (width == 0) width = size_width(size);
    big_endian(id, number_width(id));
    big_endian(size | std::uint64_t{1} << (7 * width), width);
}

void ElementWriter::number(Id id, std::uint64_t value) {
    number(id, value, number_width(value));
}

void ElementWriter::number(Id id, std::uint64_t value, unsigned width) {
    header(id, width);
    big_endian(value, width);
}

void ElementWriter::signed_number(Id id, std::int64_t value) {
    unsigned width = 1;
    while (width < 8 && value >> (8 * width - 1) != (value < 0 ? -1 : 0)) ++width;
    header(id, width);
    big_endian(static_cast<std::uint64_t>(value), width);
}

void ElementWriter::real(Id id, double value) {
    header(id, 8);
    big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

void ElementWriter::text(Id id, std::string_view value) {
    header(id, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
}

void ElementWriter::binary(Id id, View value) {
    header(id, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
}

void ElementWriter::filler(std::uint64_t size) {
    const unsigned width = size >= 9 ? 8 : 1;
    header(id_void, size - 1 - width, width);
    out_.resize(out_.size() + static_cast<std::size_t>(size - 1 - width));
}

void ElementWriter::slot(Id id, View content, std::size_t size) {
    // In four bytes the size never decides whether a Void fits behind the content.
    header(id, content.size(), 4);
    out_.insert(out_.end(), content.begin(), content.end());
    filler(size - number_width(id) - 4 - content.size());
}

std::optional<ElementHeader> parse_header(View bytes) {
    ElementHeader header;
    if (bytes.empty() || bytes[0] < 0x10) return std::nullopt;
    const auto id_width = static_cast<std::size_t>(std::countl_zero(bytes[0])) + 1;
    if (bytes.size() <= id_width) return std::nullopt;
    for (std::size_t i = 0; i < id_width; ++i) header.id = header.id << 8 | bytes[i];
    const View rest = bytes.subspan(id_width);
    if (rest[0] == 0) return std::nullopt;
    const auto width = static_cast<std::size_t>(std::countl_zero(rest[0])) + 1;
    if (rest.size() < width) return std::nullopt;
    header.size = rest[0] & (0xffu >> width);
    bool all_ones = header.size == 0xffu >> width;
    for (std::size_t i = 1; i < width; ++i) {
        header.size = header.size << 8 | rest[i];
        all_ones = all_ones && rest[i] == 0xff;
    }
    if (all_ones) header.size = unknown_size;
    header.header_size = id_width + width;
    return header;
}

std::uint64_t Element::number() const {
    std::uint64_t value = 0;
    for (const auto byte : content) value = value << 8 | byte;
    return value;
}

std::optional<Element> next_element(View& rest) {
    const auto header = parse_header(rest);
    if (!header || header->size > rest.size() - header->header_size) return std::nullopt;
    const auto size = static_cast<std::size_t>(header->size);
    const Element element{header->id, rest.subspan(header->header_size, size)};
    rest = rest.subspan(header->header_size + size);
    return element;
}

std::optional<Element> find(View content, Id id) {
    while (const auto element = next_element(content))
        if (element->id == id) return element;
    return std::nullopt;
}

}  // namespace tapedeck::ebml
