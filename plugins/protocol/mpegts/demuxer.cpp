#include "mpegts/demuxer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mpegts/pes.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr std::uint16_t association_pid = 0;
constexpr std::size_t most_programs = 64;

using Reader = std::variant<PictureReader, SoundReader>;

Reader reader_of(Coding coding) {
    if (is_video(coding)) return PictureReader(video_track, coding);
    return SoundReader(audio_track, coding);
}

template <class Text>
void append(std::string& list, const Text& text) {
    if (!list.empty()) list += ", ";
    list += text;
}

}  // namespace

Demuxer::Elementary::Elementary(const MappedStream& mapped) : stream(mapped), reader(reader_of(mapped.coding)) {}

const Demuxer::Elementary* Demuxer::elementary(bool video) const {
    for (const auto& [pid, one] : streams_)
        if (is_video(one->stream.coding) == video) return one.get();
    return nullptr;
}

void Demuxer::push(ByteSpan bytes, MediaOut& out) {
    if (!rest_.empty()) {
        const auto wanted = std::min(packet_size - rest_.size(), bytes.size());
        rest_.insert(rest_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(wanted));
        bytes = bytes.subspan(wanted);
        if (rest_.size() < packet_size) return;
        if (bytes.empty() || bytes[0] == sync_byte) packet(rest_, out);
        rest_.clear();
    }
    while (!bytes.empty()) {
        const bool is_packet =
            bytes[0] == sync_byte && (bytes.size() <= packet_size || bytes[packet_size] == sync_byte);
        if (!is_packet) {
            ++counts_.without_sync;
            bytes = bytes.subspan(1);
        } else if (bytes.size() < packet_size) {
            rest_.assign(bytes.begin(), bytes.end());
            return;
        } else {
            packet(bytes.first(packet_size), out);
            bytes = bytes.subspan(packet_size);
        }
    }
}

void Demuxer::packet(ByteSpan bytes, MediaOut& out) {
    ++counts_.packets;
    const auto packet = parse_packet(bytes);
    if (!packet || packet->pid == null_pid) return;  // a damaged one shows in the counter
    const bool is_table = packet->pid == association_pid || map_readers_.contains(packet->pid);
    const auto stream = is_table ? streams_.end() : streams_.find(packet->pid);
    if (!is_table && stream == streams_.end()) return;
    const auto order = follow(*packet);
    if (order == Order::lost) {
        ++counts_.lost;
        lose_in(packet->pid);
    }
    if (order == Order::doubled || !packet->has_payload) return;
    if (is_table) {
        if (packet->pid == association_pid)
            association_.push(*packet, [this](ByteSpan section) { associate(section); });
        else
            map_readers_[packet->pid].push(*packet, [&](ByteSpan section) { map(section, out); });
    } else if (packet->is_scrambled) {
        is_scrambled_ = true;
    } else {
        is_scrambled_ = false;
        payload(*stream->second, *packet, out);
    }
}

/// Section 2.4.3.3: it counts packets with payload, one of which may come twice; others repeat the last count.
Demuxer::Order Demuxer::follow(const Packet& packet) {
    auto& counter = counters_[packet.pid];
    const auto before = std::exchange(counter.last, packet.counter);
    if (!std::exchange(counter.is_known, true) || packet.may_jump) return Order::next;
    const bool is_same = packet.counter == before;
    if (!packet.has_payload) return is_same ? Order::next : Order::lost;
    if (is_same && !std::exchange(counter.was_doubled, true)) return Order::doubled;
    counter.was_doubled = false;
    return packet.counter == ((before + 1) & 15) ? Order::next : Order::lost;
}

void Demuxer::lose_in(std::uint16_t pid) {
    if (pid == association_pid) return association_.lose();
    if (const auto table = map_readers_.find(pid); table != map_readers_.end()) return table->second.lose();
    const auto found = streams_.find(pid);
    if (found == streams_.end()) return;
    auto& stream = *found->second;
    stream.is_open = false;
    stream.pes.clear();
    std::visit([](auto& reader) { reader.lose(); }, stream.reader);
}

void Demuxer::lose() {
    ++counts_.lost;
    rest_.clear();
    counters_.clear();
    association_.lose();
    for (auto& [pid, reader] : map_readers_) reader.lose();
    for (const auto& [pid, stream] : streams_) lose_in(pid);
}

void Demuxer::associate(ByteSpan section) {
    try {
        const auto read = parse_association(section);
        if (!read) return;
        if (association_version_ != read->version) {
            association_version_ = read->version;
            programs_.clear();
        }
        for (const auto& [number, pid] : read->programs) {
            if (programs_.size() < most_programs && pid != association_pid) programs_[number] = pid;
        }
        std::erase_if(map_readers_, [this](const auto& entry) {
            return std::ranges::none_of(programs_, [&](const auto& one) { return one.second == entry.first; });
        });
        for (const auto& [number, pid] : programs_) map_readers_[pid];
        std::erase_if(maps_, [this](const auto& entry) { return !programs_.contains(entry.first); });
        if (chosen_ && !programs_.contains(*chosen_)) chosen_.reset();  // its streams go on until another is chosen
    } catch (const Malformed&) {
        ++counts_.broken;
    }
}

void Demuxer::map(ByteSpan section, MediaOut& out) {
    try {
        auto read = parse_map(section);
        if (!read || !programs_.contains(read->program)) return;
        auto& known = maps_[read->program];
        if (known.streams == read->streams && chosen_ == read->program) return;
        known = *read;
        const auto first = [&](bool video) {
            const auto& all = known.streams;
            const auto found = std::ranges::find_if(
                all, [&](const auto& one) { return one.coding != Coding::unknown && is_video(one.coding) == video; });
            return found == all.end() ? nullptr : &*found;
        };
        const auto* const video = first(true);
        const auto* const sound = first(false);
        if (wanted_ ? read->program != *wanted_ : chosen_ && chosen_ != read->program) return;
        if (!wanted_ && video == nullptr && sound == nullptr && !chosen_) return;
        chosen_ = read->program;
        for (auto at = streams_.begin(); at != streams_.end();) {
            const auto& stream = at->second->stream;
            const bool stays = (video != nullptr && stream == *video) || (sound != nullptr && stream == *sound);
            if (!stays) end_pes(*at->second, out);
            at = stays ? std::next(at) : streams_.erase(at);
        }
        for (const auto* mapped : {video, sound}) {
            if (mapped != nullptr && !streams_.contains(mapped->pid))
                streams_.emplace(mapped->pid, std::make_unique<Elementary>(*mapped));
        }
    } catch (const Malformed&) {
        ++counts_.broken;
    }
}

void Demuxer::payload(Elementary& stream, const Packet& packet, MediaOut& out) {
    if (packet.starts_unit) {
        end_pes(stream, out);
        stream.is_open = true;
        stream.size = 0;
    } else if (!stream.is_open) {
        return;
    }
    stream.pes.insert(stream.pes.end(), packet.payload.begin(), packet.payload.end());
    stream.is_stuffed = packet.is_stuffed;
    if (packet.starts_unit) stream.size = pes_size(stream.pes).value_or(0);
    if (stream.pes.size() > largest_pes) {
        ++counts_.broken;
        lose_in(stream.stream.pid);
    } else if (stream.size != 0 && stream.pes.size() >= stream.size) {
        end_pes(stream, out);
    }
}

void Demuxer::end_pes(Elementary& stream, MediaOut& out) {
    if (!std::exchange(stream.is_open, false)) return;
    const auto size = stream.size == 0 ? stream.pes.size() : stream.size;
    try {
        if (!pes_size(stream.pes)) throw Malformed("PES: no start code");
        if (size > stream.pes.size()) throw Malformed("PES: shorter than it says");
        const auto bytes = ByteSpan(stream.pes).first(size);
        const auto header = parse_pes(bytes);
        const auto payload = bytes.subspan(header.size);
        if (auto* const pictures = std::get_if<PictureReader>(&stream.reader)) {
            if (!header.pts) throw Malformed("PES: a picture without a time");
            pictures->push(payload, *header.pts, header.dts, out);
        } else {
            std::get<SoundReader>(stream.reader).push(payload, header.pts, out);
        }
    } catch (const Malformed&) {
        ++counts_.broken;
        std::visit([](auto& reader) { reader.lose(); }, stream.reader);
    }
    stream.pes.clear();
}

void Demuxer::finish(MediaOut& out) {
    for (const auto& [pid, stream] : streams_)
        if (stream->is_stuffed) end_pes(*stream, out);
}

std::uint64_t Demuxer::dropped_pictures() const {
    const auto* const video = elementary(true);
    return video == nullptr ? 0 : std::get<PictureReader>(video->reader).dropped();
}

std::string Demuxer::problem() const {
    if (!has_sync()) return "what comes is no transport stream";
    if (programs_.empty()) return "no program: its association table has not come";
    std::string numbers;
    for (const auto& [number, pid] : programs_) append(numbers, std::to_string(number));
    if (wanted_ && chosen_ != *wanted_) return "no program " + std::to_string(*wanted_) + ": the stream has " + numbers;
    if (!chosen_ || streams_.empty()) {
        std::string names;
        for (const auto& [number, map] : maps_)
            for (const auto& stream : map.streams) append(names, stream.name);
        return maps_.empty() ? "no program: the map of " + numbers + " has not come"
                             : "no program with a known codec: there is " + (names.empty() ? "nothing" : names);
    }
    if (is_scrambled_) return "the program is scrambled";
    for (const auto& [pid, stream] : streams_) {
        std::string why = std::visit([](const auto& reader) { return std::string(reader.problem()); }, stream->reader);
        if (!why.empty()) return stream->stream.name + ": " + why;
    }
    return {};
}

std::string Demuxer::left_out() const {
    std::string names;
    const auto chosen = chosen_ ? maps_.find(*chosen_) : maps_.end();
    if (chosen == maps_.end()) return names;
    for (const auto& stream : chosen->second.streams)
        if (!streams_.contains(stream.pid)) append(names, stream.name);
    return names;
}

}  // namespace tapedeck::mpegts
