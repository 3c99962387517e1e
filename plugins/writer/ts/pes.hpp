// PES packets (ISO/IEC 13818-1 section 2.4.3.6): their header, written and read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ts {

inline constexpr std::uint8_t video_stream_id = 0xe0, audio_stream_id = 0xc0;

/// What a header says. Times are in 90 kHz; read ones have 33 bits.
struct PesHeader {
    std::uint8_t stream_id = 0;
    std::int64_t pts = 0, dts = 0;
    std::optional<std::size_t> payload_size;  // nothing: it ends where the next one begins
};

/// Writes a header into its own memory.
class PesHeaderBytes {
public:
    /// A payload that is too long for the length field is written as one of unknown size, which only video may be.
    explicit PesHeaderBytes(const PesHeader& header);
    ByteSpan bytes() const { return ByteSpan(bytes_).first(size_); }

private:
    std::array<std::uint8_t, 19> bytes_;
    std::size_t size_;
};

/// A header and where the payload begins.
struct FoundPes {
    PesHeader header;
    std::size_t header_size;
};
/// Nothing when the bytes do not begin with a whole header that has a PTS.
std::optional<FoundPes> parse_pes_header(ByteSpan bytes);

}  // namespace tapedeck::ts
