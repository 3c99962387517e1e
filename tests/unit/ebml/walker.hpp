// A Matroska file taken apart by code of its own, so that the writer's mistakes are not repeated by the test.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tapedeck::ebml::test {

using Data = std::vector<std::uint8_t>;

/// An element: where it begins, where its content does, and that.
struct Node {
    std::uint32_t id = 0;
    std::uint64_t at = 0, content_at = 0;
    Data content;

    std::uint64_t number() const;
    std::int64_t signed_number() const;
    double real() const;
    std::string text() const { return {content.begin(), content.end()}; }
    /// What it holds; throws std::runtime_error when that is not filled exactly with elements.
    std::vector<Node> children() const;
    /// All children with this id.
    std::vector<Node> all(std::uint32_t id) const;
    /// The only child with this id; throws std::runtime_error when there is not exactly one.
    Node one(std::uint32_t id) const;
};

struct SeenBlock {
    std::uint64_t track = 0;
    std::int64_t time = 0;  // cluster's and its own
    bool key = false, is_group = false, invisible = false;
    std::optional<std::uint64_t> duration;
    std::int64_t discard_ns = 0;
    std::uint64_t cluster = 0;  // the number of its cluster, from 0
    Data payload;
};

/// The Segment of a file. One of unknown size reaches to the file's end, where a torn last element is left out.
struct Segment {
    explicit Segment(const Data& file);
    /// Ids of its children in order, Voids left out, equal neighbours once.
    std::vector<std::uint32_t> order() const;
    std::vector<SeenBlock> blocks() const;
    std::vector<SeenBlock> blocks(std::uint64_t track) const;

    std::string doc_type;
    bool has_size = false;
    Node self;  // its children are those of the Segment
    std::vector<Node> parts;
};

}  // namespace tapedeck::ebml::test
