#include "cut.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::uint64_t most_apart = packet_size * 4096;       // of units that belong together
constexpr std::uint64_t most_back = std::uint64_t{256} << 20;  // that a key picture is looked for
constexpr std::int64_t most_lead = ticks_per_second / 10;      // of sound, whose frames share a unit
constexpr std::int64_t soon = ticks_per_second / 2000;         // people round times

std::string seconds(std::int64_t ticks) {
    const std::int64_t ms = std::max<std::int64_t>(ticks, 0) * 1000 / ticks_per_second;
    return std::to_string(ms / 1000) + '.' + std::to_string(1000 + ms % 1000).substr(1) + " s";
}

void append(Bytes& out, ByteSpan packet) {
    out.insert(out.end(), packet.begin(), packet.end());
}

/// The last unit of the main track, seen from `at`, that `is_wanted`.
template <class Wanted>
std::optional<Unit> unit_before(Program& program, std::uint64_t at, Wanted is_wanted) {
    const std::uint64_t limit = at - std::min(at, most_back);
    while (at >= limit + packet_size) {
        at -= packet_size;
        const auto unit = program.unit(at);
        if (unit && unit->pid == program.main() && is_wanted(*unit)) return unit;
    }
    return std::nullopt;
}

Unit first_unit(Program& program, std::int64_t from) {
    const auto limit = program.decoded_after(from + soon);
    const auto is_wanted = [&](const Unit& unit) {
        return (unit.key || !program.has_pictures()) && unit.pts <= from + soon;
    };
    if (const auto unit = unit_before(program, limit, is_wanted)) return *unit;
    for (std::uint64_t at = 0; at < program.end(); at += packet_size) {
        const auto unit = program.unit(at);
        if (unit && unit->pid == program.main()) return *unit;
    }
    throw Error(TD_NOT_FOUND, "nothing is shown in the file");
}

/// The last tables in front of the unit; their counters fit to those that follow it.
void append_tables(Program& program, std::uint64_t at, Bytes& out) {
    Bytes map;
    while (at >= packet_size) {
        at -= packet_size;
        const auto packet = program.packet(at);
        if (!packet || !packet->starts_unit) continue;
        if (packet->pid == program.map() && map.empty()) append(map, program.bytes(at));
        if (packet->pid != association_pid) continue;
        append(out, program.bytes(at));
        append(out, map);
        return;
    }
}

/// From the first unit to where every track has begun. Gives where that is.
std::uint64_t append_begin(Program& program, const Unit& first, std::uint64_t end, Bytes& out) {
    std::set<std::uint16_t> missing(program.tracks().begin(), program.tracks().end());
    std::uint64_t at = first.at;
    for (; at < std::min(end, first.at + most_apart) && !missing.empty(); at += packet_size) {
        const auto packet = program.packet(at);
        if (!packet) continue;
        if (missing.contains(packet->pid) && !packet->payload.empty()) {
            const auto unit = program.unit(at);
            if (!unit || unit->pts < first.pts - most_lead) continue;
            missing.erase(packet->pid);
        }
        append(out, program.bytes(at));
    }
    return at;
}

/// What belongs to the part of units that begin before `to` and go on behind it.
void append_end(Program& program, std::uint64_t at, std::int64_t to, Bytes& out) {
    std::set<std::uint16_t> open(program.tracks().begin(), program.tracks().end());
    open.erase(program.main());
    const std::uint64_t limit = std::min(program.end(), at + most_apart);
    for (; at < limit && !open.empty(); at += packet_size) {
        const auto packet = program.packet(at);
        if (!packet || !open.contains(packet->pid) || packet->payload.empty()) continue;
        const auto unit = program.unit(at);
        if (unit && unit->pts >= to) {
            open.erase(packet->pid);
        } else {
            append(out, program.bytes(at));
        }
    }
}

}  // namespace

Cut plan_cut(Program& program, std::int64_t from, std::optional<std::int64_t> to) {
    const auto last = unit_before(program, program.end(), [](const Unit&) { return true; });
    const std::int64_t end = last ? last->pts : 0;
    if (from < 0 || from > end)
        throw Error(TD_NOT_FOUND,
                    "the start at " + seconds(from) + " is not within the file, which lasts " + seconds(end));
    if (to && *to > end + ticks_per_second)
        throw Error(TD_NOT_FOUND,
                    "the end at " + seconds(*to) + " is behind the file's own, which lasts " + seconds(end));
    Cut cut;
    const Unit first = first_unit(program, from);
    const std::uint64_t behind = to ? std::max(program.decoded_after(*to - 1), first.at) : program.end();
    append_tables(program, first.at, cut.front);
    cut.from = append_begin(program, first, behind, cut.front);
    cut.to = behind;
    if (to) append_end(program, behind, *to, cut.back);
    return cut;
}

}  // namespace tapedeck::ts
