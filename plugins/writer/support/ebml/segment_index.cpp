#include "segment_index.hpp"

#include <algorithm>
#include <optional>

#include "head.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::uint64_t most_head = 4 << 20;  // of Info, of Tracks
constexpr std::uint64_t most_time = std::uint64_t{1} << 45;
constexpr int most_before_time = 4;  // elements of a cluster, such as a checksum

class Walk {
public:
    explicit Walk(const Source& source) : source_(source), window_(source), size_(source.size()) {}

    SegmentIndex run() {
        std::uint64_t at = read_front();
        while (at < size_) {
            const auto header = parse_header(window_.at(at, element_look));
            if (!header) break;
            const std::uint64_t content = at + header->header_size;
            if (header->id == id_cluster && header->size == unknown_size)
                throw Error(TD_UNSUPPORTED, "clusters without a size, as browsers write them, cannot be cut");
            const std::uint64_t end = header->size > size_ - content ? size_ : content + header->size;
            if (header->id == id_info) read_info(content, end);
            if (header->id == id_tracks) read_tracks(content, end);
            if (header->id == id_cluster) read_cluster(content, end);
            at = end;
        }
        if (index_.entries.empty() || index_.clusters.empty()) throw Malformed("it has no tracks or no clusters");
        read_end();
        return std::move(index_);
    }

private:
    /// Gives where the content of the Segment begins.
    std::uint64_t read_front() {
        const auto ebml = parse_header(window_.at(0, element_look));
        if (!ebml || ebml->id != id_ebml || ebml->size > 1024) throw Malformed("this is no Matroska file");
        const Bytes content = bytes(ebml->header_size, ebml->header_size + ebml->size);
        const auto type = find(content, id_doc_type);
        if (!type) throw Malformed("this is no Matroska file");
        index_.doc_type.assign(type->content.begin(), type->content.end());
        const std::uint64_t at = ebml->header_size + ebml->size;
        const auto segment = parse_header(window_.at(at, element_look));
        if (!segment || segment->id != id_segment) throw Malformed("a Matroska file without a Segment");
        const std::uint64_t begin = at + segment->header_size;
        if (segment->size != unknown_size && segment->size < size_ - begin) size_ = begin + segment->size;
        return begin;
    }

    Bytes bytes(std::uint64_t from, std::uint64_t to) const {
        if (to - from > most_head) throw Malformed("a head of more than 4 MB");
        Bytes all(static_cast<std::size_t>(to - from));
        if (source_.read(from, all) != all.size()) throw Malformed("its head is cut off");
        return all;
    }

    void read_info(std::uint64_t from, std::uint64_t to) const {
        const Bytes content = bytes(from, to);
        const auto scale = find(content, id_timestamp_scale);
        if (scale && scale->number() != tick_ns)
            throw Error(TD_UNSUPPORTED, "files whose times are no milliseconds cannot be cut");
    }

    void read_tracks(std::uint64_t from, std::uint64_t to) {
        index_.entries = bytes(from, to);
        View rest = index_.entries;
        while (const auto entry = next_element(rest)) {
            const auto number = find(entry->content, id_track_number), type = find(entry->content, id_track_type);
            if (entry->id != id_track_entry || !number || !type) continue;
            if (type->number() == type_video) index_.video.push_back(number->number());
            if (type->number() == type_text) index_.text.push_back(number->number());
        }
    }

    void read_cluster(std::uint64_t from, std::uint64_t to) {
        for (int i = 0; i < most_before_time && from < to; ++i) {
            View look = window_.at(from, element_look, to);
            const auto header = parse_header(look);
            if (!header || header->size > to - from - header->header_size) return;
            from += header->header_size + header->size;
            if (header->id != id_timestamp) continue;
            const auto time = next_element(look);
            if (!time || time->number() > most_time) return;
            ClusterPlace cluster;
            cluster.blocks = from;
            cluster.end = to;
            cluster.time = static_cast<std::int64_t>(time->number());
            return add(cluster);
        }
    }

    /// Unless it has no whole block.
    void add(ClusterPlace cluster) {
        const auto first = read_block(window_, cluster.blocks, cluster.end);
        if (!first) return;
        cluster.first_time = cluster.time + first->head.time;
        cluster.first_track = first->head.track;
        cluster.starts_with_key = first->key && std::ranges::count(index_.video, first->head.track) != 0;
        index_.clusters.push_back(cluster);
    }

    void read_end() {
        const std::size_t count = std::min<std::size_t>(index_.clusters.size(), 2);
        for (const ClusterPlace& cluster : std::span(index_.clusters).last(count)) {
            each_block(window_, cluster, [&](const FoundBlock& block, std::uint64_t, std::int64_t time) {
                index_.end = std::max(index_.end, index_.end_of(block, time));
            });
        }
    }

    const Source& source_;
    Window window_;
    std::uint64_t size_;
    SegmentIndex index_;
};

}  // namespace

SegmentIndex SegmentIndex::read(const Source& source) {
    return Walk(source).run();
}

}  // namespace tapedeck::ebml
