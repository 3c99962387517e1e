// Reads finished files back, independently of the writer's own reader: boxes by path and every sample of a track.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tapedeck::mp4::test {

struct BoxAt {
    std::string type;
    std::uint64_t at = 0, size = 0;
    std::vector<std::uint8_t> payload;  // not of mdat

    std::uint8_t u8(std::size_t offset) const { return payload.at(offset); }
    std::uint16_t u16(std::size_t offset) const { return static_cast<std::uint16_t>(number(offset, 2)); }
    std::uint32_t u32(std::size_t offset) const { return static_cast<std::uint32_t>(number(offset, 4)); }
    std::uint64_t u64(std::size_t offset) const { return number(offset, 8); }

private:
    std::uint64_t number(std::size_t offset, std::size_t size) const;
};

/// The boxes that follow each other in `bytes`, which begin at position `base` of the file. Throws where one does not
/// fit.
std::vector<BoxAt> boxes_in(std::span<const std::uint8_t> bytes, std::uint64_t base = 0);
/// `ftyp moov free mdat`
std::string order_of(std::span<const std::uint8_t> file);
/// The boxes at `moov/trak/tkhd`.
std::vector<BoxAt> all(std::span<const std::uint8_t> bytes, const std::string& path);
/// The only one, or the `nth`; throws when it is missing.
BoxAt box(std::span<const std::uint8_t> bytes, const std::string& path, std::size_t nth = 0);

struct SampleAt {
    std::uint64_t at = 0;
    std::uint32_t size = 0, description = 0;
    std::int64_t dts = 0, duration = 0, composition = 0;
    bool key = false;
};

/// Every sample of the `nth` track of a finished file, by its tables.
std::vector<SampleAt> samples_of(std::span<const std::uint8_t> moov_payload, std::size_t nth);

}  // namespace tapedeck::mp4::test
