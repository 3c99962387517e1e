#include "walker.hpp"

#include <bit>
#include <stdexcept>

namespace tapedeck::ebml::test {
namespace {

constexpr std::uint64_t open_end = ~std::uint64_t{0};

/// The element at `at`, its size cut at the end of the data; nothing when there is no whole header.
std::optional<Node> element_at(const Data& data, std::uint64_t at, std::uint64_t& size) {
    const auto take = [&](bool keep_marker) -> std::optional<std::pair<std::uint64_t, bool>> {
        if (at >= data.size() || data[at] == 0) return std::nullopt;
        const unsigned width = static_cast<unsigned>(std::countl_zero(data[at])) + 1;
        if (at + width > data.size()) return std::nullopt;
        std::uint64_t value = data[at] & (keep_marker ? 0xffu : 0xffu >> width);
        for (unsigned i = 1; i < width; ++i) value = value << 8 | data[at + i];
        at += width;
        return std::pair{value, !keep_marker && value == (std::uint64_t{1} << 7 * width) - 1};
    };
    Node node;
    node.at = at;
    const auto id = take(true);
    const auto length = id ? take(false) : std::nullopt;
    if (!length) return std::nullopt;
    node.id = static_cast<std::uint32_t>(id->first);
    node.content_at = at;
    size = length->second ? open_end : length->first;
    const auto end = size > data.size() - at ? data.size() : at + size;
    node.content.assign(data.begin() + static_cast<std::ptrdiff_t>(at),
                        data.begin() + static_cast<std::ptrdiff_t>(end));
    return node;
}

SeenBlock block_of(const Node& node) {
    SeenBlock block;
    const Data& bytes = node.content;
    const auto width = static_cast<std::size_t>(std::countl_zero(bytes.at(0))) + 1;
    block.track = bytes.at(0) & (0xffu >> width);
    for (std::size_t i = 1; i < width; ++i) block.track = block.track << 8 | bytes.at(i);
    block.time = static_cast<std::int16_t>(bytes.at(width) << 8 | bytes.at(width + 1));
    block.key = (bytes.at(width + 2) & 0x80) != 0;
    block.invisible = (bytes.at(width + 2) & 0x08) != 0;
    block.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(width + 3), bytes.end());
    return block;
}

}  // namespace

std::uint64_t Node::number() const {
    std::uint64_t value = 0;
    for (const auto byte : content) value = value << 8 | byte;
    return value;
}

std::int64_t Node::signed_number() const {
    auto value = static_cast<std::int64_t>(number());
    const auto bits = 8 * content.size();
    if (bits < 64 && (value >> (bits - 1) & 1) != 0) value -= std::int64_t{1} << bits;
    return value;
}

double Node::real() const {
    return std::bit_cast<double>(number());
}

std::vector<Node> Node::children() const {
    std::vector<Node> found;
    for (std::uint64_t next = 0; next < content.size();) {
        std::uint64_t size = 0;
        auto child = element_at(content, next, size);
        if (!child || size != child->content.size()) throw std::runtime_error("an element is not filled exactly");
        next = child->content_at + size;
        child->at += content_at;
        child->content_at += content_at;
        found.push_back(std::move(*child));
    }
    return found;
}

std::vector<Node> Node::all(std::uint32_t wanted) const {
    auto found = children();
    std::erase_if(found, [&](const Node& node) { return node.id != wanted; });
    return found;
}

Node Node::one(std::uint32_t wanted) const {
    auto found = all(wanted);
    if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " elements where one belongs");
    return found.front();
}

Segment::Segment(const Data& file) {
    std::uint64_t size = 0;
    const auto header = element_at(file, 0, size);
    if (!header || header->id != 0x1a45dfa3) throw std::runtime_error("no EBML header");
    doc_type = header->one(0x4282).text();
    const auto segment = element_at(file, header->content_at + size, size);
    if (!segment || segment->id != 0x18538067) throw std::runtime_error("no Segment");
    self = *segment;
    has_size = size != open_end;
    if (has_size && size != self.content.size()) throw std::runtime_error("the Segment has not the size of the file");
    for (std::uint64_t at = 0; at < self.content.size();) {
        auto child = element_at(self.content, at, size);
        const bool whole = child && size == child->content.size();
        if (!whole && has_size) throw std::runtime_error("the Segment is not filled exactly");
        if (!whole) break;
        at = child->content_at + size;
        child->at += self.content_at;
        child->content_at += self.content_at;
        parts.push_back(std::move(*child));
    }
}

std::vector<std::uint32_t> Segment::order() const {
    std::vector<std::uint32_t> ids;
    for (const Node& part : parts)
        if (part.id != 0xec && (ids.empty() || ids.back() != part.id)) ids.push_back(part.id);
    return ids;
}

std::vector<SeenBlock> Segment::blocks() const {
    std::vector<SeenBlock> found;
    std::uint64_t cluster = 0;
    for (const Node& part : parts) {
        if (part.id != 0x1f43b675) continue;
        const auto base = static_cast<std::int64_t>(part.one(0xe7).number());
        for (const Node& child : part.children()) {
            if (child.id != 0xa3 && child.id != 0xa0) continue;
            SeenBlock block = block_of(child.id == 0xa3 ? child : child.one(0xa1));
            block.time += base;
            block.cluster = cluster;
            if (child.id == 0xa0) {
                block.is_group = true;
                block.key = child.all(0xfb).empty();
                for (const Node& duration : child.all(0x9b)) block.duration = duration.number();
                for (const Node& padding : child.all(0x75a2)) block.discard_ns = padding.signed_number();
            }
            found.push_back(std::move(block));
        }
        ++cluster;
    }
    return found;
}

std::vector<SeenBlock> Segment::blocks(std::uint64_t track) const {
    auto found = blocks();
    std::erase_if(found, [&](const SeenBlock& block) { return block.track != track; });
    return found;
}

}  // namespace tapedeck::ebml::test
