// The cluster that is being gathered, with references to the payloads of its blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "elements.hpp"
#include "index.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::ebml {

/// One access unit or audio frame; times are ticks of the file.
struct Block {
    std::uint64_t track = 0;  ///< its number in the file
    std::int64_t time = 0;
    std::int64_t duration = 0;
    bool video = false;
    bool key = false;
    bool is_text = false;
    std::int64_t reference = 0;   ///< of video that is no key: a block that it needs, relative to it
    std::int64_t discard_ns = 0;  ///< DiscardPadding; negative: from its beginning
};

/// Blocks are SimpleBlocks, but for the one that ends last, which states its duration, so that a torn file knows its
/// length, for those with padding, and for text, which says how long it is shown and makes no file longer. Its vectors
/// keep their room, so a packet costs no allocation once the first clusters are through. One thread at a time.
class Cluster {
public:
    explicit Cluster(const td_host* host) : host_(host) {}
    ~Cluster() { clear(); }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Takes a reference to `buffer`, in which the payload lies; spans in other memory must stay until `clear`.
    void add(const Block& block, std::span<const td_bytes> payload, td_buffer* buffer);

    bool empty() const { return blocks_.empty(); }
    /// Of the payloads.
    std::uint64_t bytes() const { return bytes_; }
    /// Ticks from the earliest block to the latest, this one included.
    std::int64_t span_with(std::int64_t time) const;

    /// Puts the whole cluster into `spans`, valid until the next `add` or `clear`. `position`: what its facts say.
    ClusterFacts lay_out(std::uint64_t position, std::vector<td_bytes>& spans);
    /// Gives up all references.
    void clear();

private:
    struct Gathered {
        Block block;
        std::size_t first_span, span_count;
        std::uint64_t size;
    };
    void append(const Gathered& gathered, bool states_duration, std::int64_t base, std::vector<td_bytes>& spans);

    const td_host* host_;
    std::vector<Gathered> blocks_;
    std::vector<td_bytes> payload_;
    std::vector<td_buffer*> references_;
    Bytes headers_;
    std::uint64_t bytes_ = 0;
    std::int64_t earliest_ = 0, latest_ = 0;
};

}  // namespace tapedeck::ebml
