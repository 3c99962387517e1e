#include "scanner.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "head.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::size_t first_look = 1 << 16;  // bytes of a head that is not unusually long
constexpr std::size_t longest_head = 4 << 20;
constexpr std::size_t cluster_header = 8;
constexpr std::size_t element_look = 64;  // bytes that hold all headers around one payload
constexpr std::size_t sector_size = 512;  // the disk writes no less

/// Reads small parts in order with few calls.
class Window {
public:
    explicit Window(const Source& source) : source_(source) {}

    /// `count` bytes, or fewer at `end` and at the end of the file. Valid until the next call.
    View at(std::uint64_t position, std::size_t count, std::uint64_t end = UINT64_MAX) {
        if (position >= end) return {};
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end - position));
        if (position < start_ || position + count > start_ + bytes_.size()) {
            start_ = position;
            bytes_.resize(std::max<std::size_t>(count, 2048));
            bytes_.resize(source_.read(position, bytes_));
        }
        const View rest = View(bytes_).subspan(static_cast<std::size_t>(position - start_));
        return rest.first(std::min(count, rest.size()));
    }

private:
    const Source& source_;
    std::uint64_t start_ = 0;
    Bytes bytes_;
};

/// The beginning of the content of a Block or SimpleBlock (RFC 9559 section 10.1).
struct BlockHead {
    std::uint64_t track = 0;
    std::int64_t time = 0;  ///< from the cluster's on
    std::uint8_t flags = 0;
    std::size_t size = 0;
};

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

/// One block and where its element and its payload lie in the file.
struct FoundBlock {
    BlockHead head;
    bool key = false;
    std::uint64_t payload = 0, payload_end = 0, end = 0;
    std::uint64_t duration = 0;
};

/// A cluster of the file.
struct FoundCluster {
    ClusterFacts facts;
    std::uint64_t at = 0, end = 0;  // `end`: as its header says, or the last whole block's
    std::uint64_t time = 0;
    std::uint64_t first_block = 0;
    std::uint64_t blocks = 1;  // at least
    bool torn = false;
};

class Scan {
public:
    explicit Scan(const Source& source) : source_(source), window_(source), size_(source.size()) {}

    std::optional<Found> run() {
        if (!read_head() || !find_data()) return std::nullopt;
        walk();
        if (found_.packets == 0) return std::nullopt;
        return std::move(found_);
    }

private:
    bool read_head() {
        std::optional<FoundHead> head;
        for (const std::size_t length : {first_look, longest_head}) {
            Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(length, size_)));
            bytes.resize(source_.read(0, bytes));
            head = parse_head(bytes);
            if (head || bytes.size() < length) break;
        }
        if (!head) return false;
        found_.layout = head->layout;
        found_.memo = std::move(head->memo);
        video_ = std::move(head->video);
        return true;
    }

    /// What stands in the Cues slot does not matter: it may be half written, or blocks were inserted into it.
    bool find_data() {
        for (std::uint64_t at = Layout::up(found_.layout.cues_at()); at < size_; at += Layout::block) {
            if (!read_cluster(at)) continue;
            found_.layout.data_at = at;
            return true;
        }
        return false;
    }

    std::optional<FoundCluster> read_cluster(std::uint64_t at) {
        const View bytes = window_.at(at, element_look);
        const auto header = parse_header(bytes);
        if (!header || header->id != id_cluster || header->header_size != cluster_header) return std::nullopt;
        View rest = bytes.subspan(cluster_header);
        const auto time = next_element(rest);
        if (!time || time->id != id_timestamp || time->content.size() > 6) return std::nullopt;
        FoundCluster cluster;
        cluster.at = at;
        cluster.end = at + cluster_header + header->size;
        cluster.time = time->number();
        cluster.first_block = at + (bytes.size() - rest.size());
        if (cluster.first_block >= cluster.end) return std::nullopt;
        return cluster;
    }

    /// The block whose element begins at `at` and ends, whole, at `limit` or before.
    std::optional<FoundBlock> read_block(std::uint64_t at, std::uint64_t limit) {
        const auto outer = parse_header(window_.at(at, element_look, limit));
        if (!outer || outer->size > limit - at - outer->header_size) return std::nullopt;
        FoundBlock block;
        block.end = at + outer->header_size + outer->size;
        std::uint64_t inner_at = at;
        auto inner = outer;
        if (outer->id == id_block_group) {
            inner_at = at + outer->header_size;
            inner = parse_header(window_.at(inner_at, element_look, block.end));
            if (!inner || inner->id != id_block || inner->size > block.end - inner_at - inner->header_size)
                return std::nullopt;
        } else if (outer->id != id_simple_block) {
            return std::nullopt;
        }
        const std::uint64_t content = inner_at + inner->header_size;
        block.payload_end = content + inner->size;
        const auto head = parse_block(window_.at(content, 16, block.payload_end));
        if (!head) return std::nullopt;
        block.head = *head;
        block.payload = content + head->size;
        block.key = (head->flags & 0x80) != 0;
        if (outer->id == id_block_group) {
            View tail = window_.at(block.payload_end, element_look, block.end);
            block.key = !find(tail, id_reference_block);
            if (const auto duration = find(tail, id_block_duration)) block.duration = duration->number() & 0xffffffff;
        }
        return block;
    }

    void walk() {
        std::uint64_t at = found_.layout.data_at;
        while (auto cluster = read_cluster(at)) {
            if (!read_facts(*cluster)) break;
            last_.push_back(*cluster);
            if (last_.size() > 2) {
                keep(last_.front());
                last_.pop_front();
            }
            if (cluster->end >= size_) break;
            at = cluster->end;
        }
        for (FoundCluster& cluster : last_) {
            verify(cluster);
            if (cluster.blocks == 0) return;
            keep(cluster);
            if (cluster.torn) return;
        }
    }

    /// What the first block says. False when it is not whole.
    bool read_facts(FoundCluster& cluster) {
        const auto first = read_block(cluster.first_block, std::min(cluster.end, size_));
        if (!first) return false;
        const auto time = static_cast<std::int64_t>(cluster.time) + first->head.time;
        cluster.facts.position = cluster.at - found_.layout.data_at;
        cluster.facts.first_time = static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0));
        cluster.facts.first_track = first->head.track;
        cluster.facts.starts_with_key = first->key && std::ranges::count(video_, first->head.track) != 0;
        return true;
    }

    /// Goes through the blocks and cuts the cluster before the first that is not whole or never reached the disk.
    void verify(FoundCluster& cluster) {
        const std::uint64_t limit = std::min(cluster.end, size_);
        std::uint64_t at = cluster.first_block, before_last = at, end_before_last = 0;
        cluster.blocks = 0;
        while (at < limit) {
            const auto block = read_block(at, limit);
            if (!block || !is_written(block->payload, block->payload_end)) break;
            const auto time = static_cast<std::int64_t>(cluster.time) + block->head.time;
            const auto end = std::max<std::int64_t>(time + static_cast<std::int64_t>(block->duration), 0);
            before_last = at;
            end_before_last = cluster.facts.end;
            cluster.facts.end = std::max(end_before_last, static_cast<std::uint64_t>(end));
            ++cluster.blocks;
            at = block->end;
        }
        if (cluster.blocks != 0 && ends_in_hole(at)) {
            at = before_last;
            cluster.facts.end = end_before_last;
            --cluster.blocks;
        }
        cluster.torn = at != cluster.end;
        cluster.end = at;
    }

    /// Whether what comes before `at` is zeros from a sector's beginning on, and what follows is zeros or nothing: the
    /// last part of a block that did not reach the disk.
    bool ends_in_hole(std::uint64_t at) {
        const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
        const std::uint64_t sector = (at - 1) / sector_size * sector_size;
        if (!std::ranges::all_of(window_.at(at, 1), is_zero)) return false;
        return std::ranges::all_of(window_.at(sector, static_cast<std::size_t>(at - sector)), is_zero);
    }

    bool is_written(std::uint64_t at, std::uint64_t end) {
        std::array<std::uint8_t, 4096> part{};
        bool any = at == end;
        std::size_t zeros = 0;
        while (at < end) {
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), end - at));
            if (source_.read(at, std::span(part).first(count)) != count) return false;
            for (const auto byte : std::span(part).first(count)) {
                zeros = byte == 0 ? zeros + 1 : 0;
                any = any || byte != 0;
                if (zeros >= sector_size) return false;
            }
            at += count;
        }
        return any;
    }

    void keep(const FoundCluster& cluster) {
        found_.index.add(cluster.facts);
        found_.packets += cluster.blocks;
        found_.layout.data_size = cluster.end - found_.layout.data_at;
        found_.layout.torn_at.reset();
        if (cluster.torn) {
            found_.layout.torn_at = cluster.facts.position;
            found_.layout.torn_size = cluster.end - cluster.at - cluster_header;
        }
    }

    const Source& source_;
    Window window_;
    std::uint64_t size_;
    Found found_;
    std::vector<std::uint64_t> video_;
    std::deque<FoundCluster> last_;
};

}  // namespace

std::optional<Found> scan(const Source& source) {
    return Scan(source).run();
}

}  // namespace tapedeck::ebml
