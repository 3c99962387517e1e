#include "pes.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::size_t fixed_size = 9;     // up to PES_header_data_length
constexpr std::size_t before_length = 6;  // bytes that PES_packet_length does not count
constexpr unsigned pts_only = 2, pts_of_both = 3, dts_of_both = 1;

void put_time(std::uint8_t* out, unsigned prefix, std::int64_t time) {
    const auto value = static_cast<std::uint64_t>(time);
    out[0] = static_cast<std::uint8_t>(prefix << 4 | (value >> 30 & 7) << 1 | 1);
    out[1] = static_cast<std::uint8_t>(value >> 22);
    out[2] = static_cast<std::uint8_t>((value >> 15 & 0x7f) << 1 | 1);
    out[3] = static_cast<std::uint8_t>(value >> 7);
    out[4] = static_cast<std::uint8_t>((value & 0x7f) << 1 | 1);
}

std::int64_t read_time(ByteReader& reader) {
    const std::int64_t high = reader.u8(), middle = reader.u16(), low = reader.u16();
    return (high >> 1 & 7) << 30 | middle >> 1 << 15 | low >> 1;
}

}  // namespace

PesHeaderBytes::PesHeaderBytes(const PesHeader& header) {
    const bool both = header.pts != header.dts;
    const std::size_t times = both ? 10 : 5;
    size_ = fixed_size + times;
    std::size_t length = size_ - before_length + header.payload_size.value_or(0x10000);
    if (length > 0xffff) length = 0;
    bytes_ = {0,
              0,
              1,
              header.stream_id,
              static_cast<std::uint8_t>(length >> 8),
              static_cast<std::uint8_t>(length),
              0x84,  // the payload begins with an access unit
              both ? std::uint8_t{0xc0} : std::uint8_t{0x80},
              static_cast<std::uint8_t>(times)};
    put_time(bytes_.data() + fixed_size, both ? pts_of_both : pts_only, header.pts);
    if (both) put_time(bytes_.data() + fixed_size + 5, dts_of_both, header.dts);
}

std::optional<FoundPes> parse_pes_header(ByteSpan bytes) try {
    ByteReader reader(bytes);
    FoundPes found{};
    if (reader.u24() != 1) return std::nullopt;
    found.header.stream_id = reader.u8();
    const bool is_media = found.header.stream_id >= 0xc0 && found.header.stream_id <= 0xef;
    const std::size_t length = reader.u16();
    if (!is_media || (reader.u8() & 0xc0) != 0x80) return std::nullopt;
    const std::uint8_t flags = reader.u8();
    if ((flags & 0x80) == 0) return std::nullopt;
    ByteReader fields(reader.take(reader.u8()));
    found.header_size = bytes.size() - reader.left();
    found.header.pts = found.header.dts = read_time(fields);
    if ((flags & 0x40) != 0) found.header.dts = read_time(fields);
    if (length == 0) return found;
    if (length < found.header_size - before_length) return std::nullopt;
    found.header.payload_size = length - (found.header_size - before_length);
    return found;
} catch (const Malformed&) {
    return std::nullopt;
}

}  // namespace tapedeck::ts
