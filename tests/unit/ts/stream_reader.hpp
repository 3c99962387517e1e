// A transport stream taken apart by the standard's text alone, so that the writer is not checked by its own code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tapedeck::ts::test {

using Contents = std::vector<std::uint8_t>;

/// One packet as its header says; `at` counts packets.
struct PacketAt {
    std::size_t at = 0;
    unsigned pid = 0, counter = 0;
    bool starts = false, has_payload = false, random_access = false, discontinuity = false;
    std::optional<std::int64_t> pcr;  // ticks of 27 MHz
    std::size_t stuffing = 0;
};

/// One PES packet with its payload.
struct Pes {
    std::size_t at = 0;  // of its first packet
    unsigned pid = 0, stream_id = 0, length_field = 0;
    std::int64_t pts = 0;
    std::optional<std::int64_t> dts;
    bool random_access = false;
    std::optional<std::int64_t> pcr;
    Contents payload;

    std::int64_t decoded() const { return dts.value_or(pts); }
};

struct Stream {
    std::vector<PacketAt> packets;
    std::vector<Pes> units;
    std::map<unsigned, unsigned> types;  // stream_type by PID, as the last PMT says
    unsigned clock_pid = 0x1fff;
    std::vector<unsigned> versions;  // of the PMT, in order, without repetitions

    std::vector<Pes> of(unsigned pid) const;
    std::vector<std::int64_t> clocks() const;
};

/// Throws std::runtime_error that says what breaks the rules: sync, counters, stuffing, a table's CRC, PES lengths.
Stream read_stream(const Contents& bytes);

/// The NAL units behind start codes.
std::vector<Contents> nals_of(const Contents& byte_stream);
/// The frames behind ADTS headers; throws when a header is wrong.
std::vector<Contents> adts_frames(const Contents& payload);

}  // namespace tapedeck::ts::test
