#include "scanner.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "found_block.hpp"
#include "head.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::size_t first_look = 1 << 16;  // bytes of a head that is not unusually long
constexpr std::size_t longest_head = 4 << 20;
constexpr std::size_t cluster_header = 8;
constexpr std::size_t sector_size = 512;  // the disk writes no less

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
        text_ = std::move(head->text);
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
        const auto first = read_block(window_, cluster.first_block, std::min(cluster.end, size_));
        if (!first) return false;
        const auto time = static_cast<std::int64_t>(cluster.time) + first->head.time;
        cluster.facts.position = cluster.at - found_.layout.data_at;
        cluster.facts.first_time = static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0));
        cluster.facts.first_track = first->head.track;
        cluster.facts.starts_with_key = first->key && is_video(*first);
        return true;
    }

    bool is_video(const FoundBlock& block) const { return std::ranges::count(video_, block.head.track) != 0; }

    /// Goes through the blocks and cuts the cluster before the first that is not whole or never reached the disk. The
    /// headers tell; of pictures, whose coding leaves no long runs of zeros, the payloads do too. In sound zeros may be
    /// silence.
    void verify(FoundCluster& cluster) {
        const std::uint64_t limit = std::min(cluster.end, size_);
        std::uint64_t at = cluster.first_block, before_last = at, end_before_last = 0;
        bool last_is_video = false;
        cluster.blocks = 0;
        while (at < limit) {
            const auto block = read_block(window_, at, limit);
            if (!block) break;
            if (is_video(*block) && !is_written(block->payload, block->payload_end)) break;
            last_is_video = is_video(*block);
            const auto time = static_cast<std::int64_t>(cluster.time) + block->head.time;
            const auto length = std::ranges::count(text_, block->head.track) != 0 ? 0 : block->duration;
            const auto end = std::max<std::int64_t>(time + static_cast<std::int64_t>(length), 0);
            before_last = at;
            end_before_last = cluster.facts.end;
            cluster.facts.end = std::max(end_before_last, static_cast<std::uint64_t>(end));
            ++cluster.blocks;
            at = block->end;
        }
        const bool may_be_hole = last_is_video || !window_.at(at, 1).empty();  // else it is sound at the file's end
        if (cluster.blocks != 0 && may_be_hole && ends_in_hole(at)) {
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
    std::vector<std::uint64_t> video_, text_;
    std::deque<FoundCluster> last_;
};

}  // namespace

std::optional<Found> scan(const Source& source) {
    return Scan(source).run();
}

}  // namespace tapedeck::ebml
