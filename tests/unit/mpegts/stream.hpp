// Transport streams made byte by byte, and what a demuxer gives of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mpegts/demuxer.hpp"

namespace tapedeck::mpegts::test {

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// What readers give, with copies of the payloads.
class Collected : public MediaOut {
public:
    struct Given {
        Unit unit;
        Bytes payload;
    };
    void track(const Track& track) override { tracks.push_back(track); }
    std::uint8_t* room(std::size_t size) override {
        room_.resize(size);
        return room_.data();
    }
    void unit(const Unit& unit, ByteSpan payload) override {
        units.push_back({unit, Bytes(payload.begin(), payload.end())});
    }
    std::vector<Bytes> payloads(std::uint32_t of) const {
        std::vector<Bytes> found;
        for (const auto& given : units)
            if (given.unit.track == of) found.push_back(given.payload);
        return found;
    }

    std::vector<Track> tracks;
    std::vector<Given> units;

private:
    Bytes room_;
};

struct Listed {
    std::uint8_t type;
    std::uint16_t pid;
    Bytes descriptors = {};
};

/// Counts continuity by itself.
class Stream {
public:
    Stream& association(const std::vector<std::pair<std::uint16_t, std::uint16_t>>& programs, unsigned version = 0);
    Stream& map(std::uint16_t pid, std::uint16_t program, const std::vector<Listed>& streams, unsigned version = 0);
    /// `is_sized`: its length is in its header.
    Stream& pes(std::uint16_t pid, std::optional<std::int64_t> pts, std::optional<std::int64_t> dts,
                const Bytes& payload, bool is_sized = false);
    Stream& section(std::uint16_t pid, Bytes section);
    std::size_t packets() const { return bytes.size() / packet_size; }
    /// Without the packet of this number.
    Bytes without(std::size_t packet) const;

    Bytes bytes;

private:
    void split(std::uint16_t pid, const Bytes& unit);
    std::map<std::uint16_t, std::uint8_t> counters_;
};

/// One H.264 access unit in Annex B: delimiter, with parameter sets where it is a key picture, and a slice of `size`.
Bytes h264_picture(bool is_key, std::uint8_t mark, std::size_t size = 40);
/// The slice as it is in the packet, behind its length.
Bytes h264_slice(bool is_key, std::uint8_t mark, std::size_t size = 40);
extern const Bytes h264_sps, h264_pps;

/// An AAC-LC frame of 44100 Hz, stereo, in ADTS.
Bytes adts(const Bytes& frame);

}  // namespace tapedeck::mpegts::test
