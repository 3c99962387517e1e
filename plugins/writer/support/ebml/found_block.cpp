#include "found_block.hpp"

namespace tapedeck::ebml {
namespace {

std::optional<BlockHead> parse_block(View bytes) {
    BlockHead head;
    if (bytes.empty() || bytes[0] < 0x10) return std::nullopt;
    std::size_t width = 1;
    while ((bytes[0] & 0x80 >> (width - 1)) == 0) ++width;
    if (bytes.size() < width + 3) return std::nullopt;
    head.track = bytes[0] & (0xffu >> width);
    for (std::size_t i = 1; i < width; ++i) head.track = head.track << 8 | bytes[i];
    head.time = static_cast<std::int16_t>(bytes[width] << 8 | bytes[width + 1]);
    head.flags = bytes[width + 2];
    head.size = width + 3;
    return head;
}

}  // namespace

std::optional<FoundBlock> read_block(Window& window, std::uint64_t at, std::uint64_t limit) {
    const auto outer = parse_header(window.at(at, element_look, limit));
    if (!outer || outer->size > limit - at - outer->header_size) return std::nullopt;
    FoundBlock block;
    block.end = at + outer->header_size + outer->size;
    std::uint64_t inner_at = at;
    auto inner = outer;
    if (outer->id == id_block_group) {
        inner_at = at + outer->header_size;
        inner = parse_header(window.at(inner_at, element_look, block.end));
        if (!inner || inner->id != id_block || inner->size > block.end - inner_at - inner->header_size)
            return std::nullopt;
    } else if (outer->id != id_simple_block) {
        return std::nullopt;
    }
    const std::uint64_t content = inner_at + inner->header_size;
    block.payload_end = content + inner->size;
    const auto head = parse_block(window.at(content, 16, block.payload_end));
    if (!head) return std::nullopt;
    block.head = *head;
    block.payload = content + head->size;
    block.key = (head->flags & 0x80) != 0;
    if (outer->id == id_block_group) {
        View tail = window.at(block.payload_end, element_look, block.end);
        block.key = !find(tail, id_reference_block);
        if (const auto duration = find(tail, id_block_duration)) block.duration = duration->number() & 0xffffffff;
    }
    return block;
}

}  // namespace tapedeck::ebml
