#include "scanner.hpp"

#include <algorithm>
#include <map>

#include "adts.hpp"
#include "muxer.hpp"
#include "packets.hpp"
#include "pes.hpp"
#include "sections.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::uint64_t piece = packet_size * 2048;    // read at a time
constexpr std::int64_t looked_through_us = 2'000'000;  // of recording; the host syncs files once a second
constexpr int marks_looked_through = 4;                // at least
constexpr td_rational microseconds{1, 1'000'000};
constexpr std::uint64_t head_limit = piece * 4;  // more than the longest memo takes

/// The packets of a file by position, read in large pieces.
class Packets {
public:
    explicit Packets(const Source& source) : source_(source), end_(source.size() / packet_size * packet_size) {}

    /// Behind the last whole packet.
    std::uint64_t end() const { return end_; }
    /// 188 bytes, or fewer where the file changed under the reader. Valid until the next call.
    ByteSpan at(std::uint64_t position) {
        if (position < start_ || position + packet_size > start_ + bytes_.size()) {
            start_ = position / piece * piece;
            bytes_.resize(static_cast<std::size_t>(std::min(piece, end_ - start_)));
            bytes_.resize(source_.read(start_, bytes_));
        }
        const auto offset = static_cast<std::size_t>(position - start_);
        if (offset + packet_size > bytes_.size()) return {};
        return ByteSpan(bytes_).subspan(offset, packet_size);
    }

private:
    const Source& source_;
    std::uint64_t end_, start_ = 0;
    Bytes bytes_;
};

/// The mark that this packet is, if it is one.
std::optional<Mark> mark_in(const PacketView& packet) {
    if (packet.pid != private_pid || !packet.starts_unit || packet.payload.empty()) return std::nullopt;
    const auto section = parse_private_section(packet.payload.subspan(1));
    return section ? parse_mark(*section) : std::nullopt;
}

/// The memo that lies behind the first tables. Nothing when it is not whole.
std::optional<std::string> read_memo(Packets& packets) {
    std::string memo;
    Bytes section;
    unsigned number = 0;
    for (std::uint64_t at = 0; at < std::min(packets.end(), head_limit); at += packet_size) {
        const auto packet = parse_packet(packets.at(at));
        if (!packet || (at == 0 && packet->pid != association_pid)) return std::nullopt;
        if (packet->pid == association_pid || packet->pid == map_pid) continue;
        if (packet->pid != private_pid || packet->payload.empty()) return std::nullopt;
        if (packet->starts_unit != section.empty()) return std::nullopt;
        const ByteSpan more = packet->payload.subspan(packet->starts_unit ? 1 : 0);
        section.insert(section.end(), more.begin(), more.end());
        const auto size = section_size(section);
        if (!size) return std::nullopt;
        if (section.size() < *size) continue;
        const auto part = parse_private_section(section);
        if (!part || part->kind != PrivateSection::Kind::Memo || part->number != number) return std::nullopt;
        memo.append(part->data.begin(), part->data.end());
        if (part->number == part->last_number) return memo;
        ++number;
        section.clear();
    }
    return std::nullopt;
}

/// Where to begin to look for damage: behind one of the last marks, or at the file's start.
struct Beginning {
    std::uint64_t at = 0;
    Mark mark;
};
Beginning find_beginning(Packets& packets) {
    std::int64_t newest_us = 0;
    int marks = 0;
    for (std::uint64_t at = packets.end(); at >= packet_size;) {
        at -= packet_size;
        const auto packet = parse_packet(packets.at(at));
        const auto mark = packet ? mark_in(*packet) : std::nullopt;
        if (!mark) continue;
        if (marks++ == 0) newest_us = mark->end_us;
        const bool is_synced = newest_us - mark->end_us >= looked_through_us;
        if (is_synced && marks >= marks_looked_through) return {at + packet_size, *mark};
    }
    return {};
}

/// Walks over packets, each PES packet whole behind the other, and stops at the first that is not as it must be.
class Walk {
public:
    Walk(Packets& packets, const Beginning& from) : packets_(packets), from_(from.at) {
        found_.packets = from.mark.packets;
        found_.end_us = from.mark.end_us;
        found_.size = from.at;
    }

    Found run() {
        for (std::uint64_t at = from_; at < packets_.end(); at += packet_size) {
            const auto packet = parse_packet(packets_.at(at));
            if (!packet || !take(*packet, at)) break;
        }
        return std::move(found_);
    }

private:
    /// A PES packet whose end has not come.
    struct Open {
        std::uint16_t pid;
        PesHeader header;
        std::size_t size = 0;  // of its payload so far
        Bytes sound;
    };

    bool take(const PacketView& packet, std::uint64_t at) {
        const std::uint64_t end = at + packet_size;
        if (packet.payload.empty()) return close(at) && keep(end);
        if (const auto known = counters_.find(packet.pid); known != counters_.end()) {
            if (((known->second + 1) & 15) != packet.counter) return false;
        }
        counters_[packet.pid] = packet.counter;
        if (!packet.starts_unit) return go_on(packet, end);
        if (!close(at)) return false;
        if (packet.pid == association_pid) return keep(end);
        if (packet.pid == private_pid || packet.pid == map_pid) {
            if (const auto mark = mark_in(packet)) {
                found_.packets = mark->packets;
                found_.end_us = mark->end_us;
            }
            in_section_ = true;  // the memo's, and a map of many tracks, may be longer than a packet
            return keep(end);
        }
        const auto pes = parse_pes_header(packet.payload);
        if (!pes) return false;
        in_section_ = false;
        open_ = Open{packet.pid, pes->header, 0, {}};
        return append(packet.payload.subspan(pes->header_size), end);
    }

    bool go_on(const PacketView& packet, std::uint64_t end) {
        if ((packet.pid == private_pid || packet.pid == map_pid) && in_section_) return keep(end);
        return open_ && open_->pid == packet.pid && append(packet.payload, end);
    }

    bool append(ByteSpan payload, std::uint64_t end) {
        open_->size += payload.size();
        if (open_->header.stream_id == audio_stream_id) {
            open_->sound.insert(open_->sound.end(), payload.begin(), payload.end());
        }
        if (!open_->header.payload_size || open_->size < *open_->header.payload_size) return true;
        return open_->size == *open_->header.payload_size && close(end);
    }

    /// What is open ends at `end`. False when it should not.
    bool close(std::uint64_t end) {
        if (!open_) return true;
        if (open_->header.payload_size && open_->size != *open_->header.payload_size) return false;
        const std::uint64_t count = frames();
        found_.packets += count;
        count_time(count);
        open_.reset();
        return keep(end);
    }

    /// Moves the end of the recording behind the open PES packet, whose frames last as long as those of the one before.
    void count_time(std::uint64_t frames) {
        const PesHeader& header = open_->header;
        const auto before = last_.find(open_->pid);
        std::int64_t duration = 0;
        if (before != last_.end()) {
            const std::int64_t step = std::max<std::int64_t>(unwrapped(header.dts - before->second.dts), 0);
            duration = step * static_cast<std::int64_t>(frames) / static_cast<std::int64_t>(before->second.frames);
        }
        last_[open_->pid] = {header.dts, frames};
        // Its time has 33 bits; the end so far says in which round it is.
        const std::int64_t last = Muxer::start + rescale(found_.end_us, microseconds, ticks);
        const std::int64_t pts = last + unwrapped(header.pts - last);
        const std::int64_t end_us = rescale(pts + duration - Muxer::start, ticks, microseconds);
        if (end_us <= latest_us) found_.end_us = std::max(found_.end_us, end_us);
    }

    /// A difference of times of 33 bits: the smallest of those that it can be.
    static std::int64_t unwrapped(std::int64_t difference) {
        constexpr std::int64_t half = std::int64_t{1} << 32;
        return ((difference & (2 * half - 1)) ^ half) - half;
    }

    /// How many packets of the recorder went into the open one.
    std::uint64_t frames() const {
        std::uint64_t count = 0;
        for (ByteSpan rest = open_->sound; const auto size = adts_frame_size(rest);) {
            ++count;
            if (*size >= rest.size()) break;
            rest = rest.subspan(*size);
        }
        return std::max<std::uint64_t>(count, 1);
    }

    bool keep(std::uint64_t end) {
        found_.size = end;
        return true;
    }

    Packets& packets_;
    const std::uint64_t from_;
    Found found_;
    std::map<std::uint16_t, std::uint8_t> counters_;
    struct Last {
        std::int64_t dts;
        std::uint64_t frames;
    };
    std::map<std::uint16_t, Last> last_;
    std::optional<Open> open_;
    bool in_section_ = false;
};

}  // namespace

std::optional<Found> scan(const Source& source) {
    Packets packets(source);
    auto memo = read_memo(packets);
    if (!memo) return std::nullopt;
    Found found = Walk(packets, find_beginning(packets)).run();
    found.memo = std::move(*memo);
    return found;
}

}  // namespace tapedeck::ts
