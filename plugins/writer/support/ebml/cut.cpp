#include "cut.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "head.hpp"
#include "index.hpp"
#include "layout.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::ebml {
namespace {

constexpr std::int64_t behind_end = 1000;  // that `to` may lie
constexpr std::uint64_t narrow_part_limit = std::uint64_t{1} << 31;

std::string seconds(std::int64_t ms) {
    return std::to_string(ms / 1000) + '.' + std::to_string(1000 + ms % 1000).substr(1) + " s";
}

class Plan {
public:
    Plan(const SegmentIndex& index, const Source& source, std::int64_t from, std::optional<std::int64_t> to)
        : index_(index), window_(source), to_(to) {
        choose(from);
    }

    std::vector<CutPiece> run() {
        pieces_.emplace_back();  // the head's place
        for (std::size_t i = first_; i <= last_; ++i) {
            const ClusterPlace& cluster = index_.clusters[i];
            if (i == first_ || i == last_ || cluster.time < zero_) {
                take_blocks(cluster);
            } else {
                take_whole(cluster);
            }
        }
        if (cues_.empty()) throw Error(TD_NOT_FOUND, "nothing is shown between these times");
        pieces_.front().bytes = head();
        return std::move(pieces_);
    }

private:
    void choose(std::int64_t from) {
        const auto& clusters = index_.clusters;
        const bool has_pictures = std::ranges::any_of(clusters, &ClusterPlace::starts_with_key);
        for (std::size_t i = 0; i < clusters.size(); ++i) {
            if (clusters[i].first_time <= from && (!has_pictures || clusters[i].starts_with_key)) first_ = i;
            if (!to_ || clusters[i].time < *to_) last_ = i;
        }
        last_ = std::max(first_, last_);
        zero_ = has_pictures ? std::min(from, clusters[first_].first_time) : from;
    }

    /// The blocks of a cluster that belong to the part.
    void take_blocks(const ClusterPlace& cluster) {
        struct Taken {
            FoundBlock block;
            std::uint64_t at;
            std::int64_t time;
        };
        std::vector<Taken> taken;
        std::size_t pictures_end = 0;  // behind the last one that is shown
        each_block(window_, cluster, [&](const FoundBlock& block, std::uint64_t at, std::int64_t time) {
            if (time < zero_) return;
            const bool is_video = std::ranges::count(index_.video, block.head.track) != 0;
            if (to_ && time >= *to_ && !is_video) return;
            taken.push_back({block, at, time});
            if (!to_ || time < *to_) pictures_end = taken.size();
        });
        if (pictures_end == 0) return;
        taken.resize(pictures_end);
        std::vector<CutPiece> blocks;
        std::uint64_t size = 0;
        const std::int64_t base = std::max(cluster.time, zero_);
        for (const Taken& one : taken) {
            blocks.push_back(moved(one.block, one.at, one.time - base));
            size += one.block.end - one.at;
            ends(index_.end_of(one.block, one.time));
        }
        const Taken& front = taken.front();
        const bool key = front.block.key && std::ranges::count(index_.video, front.block.head.track) != 0;
        begin_cluster(base, size,
                      {0, static_cast<std::uint64_t>(front.time - zero_), front.block.head.track, key, end_});
        for (CutPiece& block : blocks) append(std::move(block));
    }

    void take_whole(const ClusterPlace& cluster) {
        const auto first_time = static_cast<std::uint64_t>(std::max<std::int64_t>(0, cluster.first_time - zero_));
        begin_cluster(cluster.time, cluster.end - cluster.blocks,
                      {0, first_time, cluster.first_track, cluster.starts_with_key, 0});
        append({{}, cluster.blocks, cluster.end - cluster.blocks});
    }

    /// A block with its new time, which has 16 bits in front of the flags.
    CutPiece moved(const FoundBlock& block, std::uint64_t at, std::int64_t time) {
        CutPiece piece;
        constexpr std::size_t time_and_flags = 3;
        const View head = window_.at(at, static_cast<std::size_t>(block.payload - at));
        piece.bytes.assign(head.begin(), head.end());
        const std::size_t place = piece.bytes.size() - time_and_flags;
        piece.bytes[place] = static_cast<std::uint8_t>(time >> 8);
        piece.bytes[place + 1] = static_cast<std::uint8_t>(time);
        piece.from = block.payload;
        piece.size = block.end - block.payload;
        return piece;
    }

    void begin_cluster(std::int64_t base, std::uint64_t blocks, ClusterFacts facts) {
        Bytes time;
        ElementWriter(time).number(id_timestamp, static_cast<std::uint64_t>(base - zero_));
        CutPiece piece;
        ElementWriter(piece.bytes).header(id_cluster, time.size() + blocks, 8);
        piece.bytes.insert(piece.bytes.end(), time.begin(), time.end());
        facts.position = size_;
        cues_.add(facts);
        append(std::move(piece));
    }

    void append(CutPiece piece) {
        size_ += piece.bytes.size() + piece.size;
        pieces_.push_back(std::move(piece));
    }

    void ends(std::int64_t time) { end_ = std::max(end_, static_cast<std::uint64_t>(time - zero_)); }

    /// Everything before the first cluster.
    Bytes head() const {
        const bool wide = size_ > narrow_part_limit;
        const std::uint64_t reserve = cues_.cues(0, wide).size() + 16;
        const Layout layout =
            Layout::plan(ebml_header(index_.doc_type).size(), 0, tracks_slot(index_.entries.size()), reserve);
        Bytes head = file_head({index_.doc_type, {}, {}}, layout, index_.entries);
        const auto put = [&](std::uint64_t at, const Bytes& bytes) {
            std::ranges::copy(bytes, head.begin() + static_cast<std::ptrdiff_t>(at));
        };
        put(layout.seek_head_at(), seek_head_bytes(layout, layout.cues_at()));
        std::uint64_t duration = end_;
        if (to_ && *to_ < index_.end) duration = static_cast<std::uint64_t>(*to_ - zero_);
        put(duration_at(layout), duration_bytes(duration));
        put(segment_size_at(layout), segment_size_bytes(layout.data_at + size_ - layout.segment_at));
        head.resize(static_cast<std::size_t>(layout.cues_at()));
        const Bytes cues = cues_.cues(layout.data_at - layout.segment_at, wide);
        head.insert(head.end(), cues.begin(), cues.end());
        ElementWriter(head).filler(layout.data_at - head.size());
        return head;
    }

    const SegmentIndex& index_;
    Window window_;
    const std::optional<std::int64_t> to_;
    std::size_t first_ = 0, last_ = 0;  // clusters
    std::int64_t zero_ = 0;             // the time that becomes 0
    std::vector<CutPiece> pieces_;
    std::uint64_t size_ = 0;  // of all clusters
    std::uint64_t end_ = 0;
    Index cues_;
};

}  // namespace

std::vector<CutPiece> plan_cut(const SegmentIndex& index, const Source& source, std::int64_t from,
                               std::optional<std::int64_t> to) {
    if (from < 0 || from >= index.end)
        throw Error(TD_NOT_FOUND,
                    "the start at " + seconds(from) + " is not within the file, which lasts " + seconds(index.end));
    if (to && *to > index.end + behind_end)
        throw Error(TD_NOT_FOUND,
                    "the end at " + seconds(*to) + " is behind the file's own, which lasts " + seconds(index.end));
    return Plan(index, source, from, to).run();
}

}  // namespace tapedeck::ebml
