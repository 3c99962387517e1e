#include "stream.hpp"

#include <algorithm>

namespace tapedeck::mpegts::test {
namespace {

void put(Bytes& out, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) out.push_back(static_cast<std::uint8_t>(value >> bytes * 8));
}

Bytes long_section(std::uint8_t table, std::uint16_t id, unsigned version, const Bytes& data) {
    Bytes out;
    put(out, table, 1);
    put(out, 0xb000u | (5 + data.size() + 4), 2);
    put(out, id, 2);
    put(out, 0xc1 | version << 1, 1);
    put(out, 0, 2);
    out = out + data;
    put(out, crc32(out), 4);
    return out;
}

void put_time(Bytes& out, unsigned mark, std::int64_t time) {
    const auto bits = static_cast<std::uint64_t>(time) & 0x1'ffff'ffff;
    put(out, mark << 4 | (bits >> 30) << 1 | 1, 1);
    put(out, (bits >> 15 & 0x7fff) << 1 | 1, 2);
    put(out, (bits & 0x7fff) << 1 | 1, 2);
}

}  // namespace

void Stream::split(std::uint16_t pid, const Bytes& unit) {
    for (std::size_t at = 0; at < unit.size();) {
        const auto count = std::min<std::size_t>(unit.size() - at, 184);
        put(bytes, 0x47, 1);
        put(bytes, (at == 0 ? 0x4000u : 0u) | pid, 2);
        put(bytes, (count < 184 ? 0x30u : 0x10u) | (counters_[pid]++ & 15), 1);
        if (count < 184) {
            put(bytes, 183 - count, 1);
            if (count < 183) put(bytes, 0, 1);
            for (auto fill = count; fill < 182; ++fill) put(bytes, 0xff, 1);
        }
        bytes.insert(bytes.end(), unit.begin() + static_cast<std::ptrdiff_t>(at),
                     unit.begin() + static_cast<std::ptrdiff_t>(at + count));
        at += count;
    }
}

Stream& Stream::section(std::uint16_t pid, Bytes section) {
    section.insert(section.begin(), 0);  // pointer_field
    if (section.size() % 184 != 0) section.resize((section.size() / 184 + 1) * 184, 0xff);
    split(pid, section);
    return *this;
}

Stream& Stream::association(const std::vector<std::pair<std::uint16_t, std::uint16_t>>& programs, unsigned version) {
    Bytes data;
    for (const auto& [number, pid] : programs) {
        put(data, number, 2);
        put(data, 0xe000u | pid, 2);
    }
    return section(0, long_section(0, 1, version, data));
}

Stream& Stream::map(std::uint16_t pid, std::uint16_t program, const std::vector<Listed>& streams, unsigned version) {
    Bytes data;
    put(data, 0xe000u | (streams.empty() ? null_pid : streams.front().pid), 2);
    put(data, 0xf000, 2);
    for (const auto& stream : streams) {
        put(data, stream.type, 1);
        put(data, 0xe000u | stream.pid, 2);
        put(data, 0xf000u | stream.descriptors.size(), 2);
        data = data + stream.descriptors;
    }
    return section(pid, long_section(2, program, version, data));
}

Stream& Stream::pes(std::uint16_t pid, std::optional<std::int64_t> pts, std::optional<std::int64_t> dts,
                    const Bytes& payload, bool is_sized) {
    Bytes fields;
    if (pts) put_time(fields, dts ? 3 : 2, *pts);
    if (dts) put_time(fields, 1, *dts);
    Bytes unit{0, 0, 1, 0xe0};
    put(unit, is_sized ? 3 + fields.size() + payload.size() : 0, 2);
    put(unit, 0x80, 1);
    put(unit, (pts ? 0x80u : 0u) | (dts ? 0x40u : 0u), 1);
    put(unit, fields.size(), 1);
    split(pid, unit + fields + payload);
    return *this;
}

Bytes Stream::without(std::size_t packet) const {
    Bytes left = bytes;
    const auto from = left.begin() + static_cast<std::ptrdiff_t>(packet * packet_size);
    left.erase(from, from + packet_size);
    return left;
}

// Made by x264: Constrained Baseline, 320x240.
const Bytes h264_sps{0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0x00,
                     0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0c, 0x83, 0xc5, 0x0a, 0xa8};
const Bytes h264_pps{0x68, 0xce, 0x0f, 0xc8};

Bytes h264_slice(bool is_key, std::uint8_t mark, std::size_t size) {
    Bytes nal(size, mark);
    nal[0] = is_key ? 0x65 : 0x41;
    nal[1] = is_key ? 0x88 : 0x9a;  // first_mb_in_slice 0; I or P
    Bytes out;
    put(out, nal.size(), 4);
    return out + nal;
}

Bytes h264_picture(bool is_key, std::uint8_t mark, std::size_t size) {
    const Bytes code{0, 0, 0, 1}, short_code{0, 0, 1};
    Bytes out = code + Bytes{0x09, 0xf0};
    if (is_key) out = out + code + h264_sps + code + h264_pps;
    const auto slice = h264_slice(is_key, mark, size);
    return out + short_code + Bytes(slice.begin() + 4, slice.end());
}

Bytes adts(const Bytes& frame) {
    const auto size = frame.size() + 7;
    Bytes out{0xff,
              0xf1,
              0x50,
              static_cast<std::uint8_t>(0x80 | size >> 11),
              static_cast<std::uint8_t>(size >> 3),
              static_cast<std::uint8_t>((size & 7) << 5 | 0x1f),
              0xfc};
    return out + frame;
}

}  // namespace tapedeck::mpegts::test
