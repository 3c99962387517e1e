// Boxes of the ISO base media file format (ISO/IEC 14496-12 §4.2), built into one buffer and read out of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::mp4 {

using View = ByteSpan;

/// The four characters of a box's type as the number that stands in the file.
consteval std::uint32_t fourcc(const char (&text)[5]) {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) code = code << 8 | static_cast<std::uint8_t>(text[i]);
    return code;
}

/// Appends numbers, big-endian, and boxes to a buffer of the caller, which must outlive it.
class BoxWriter {
public:
    explicit BoxWriter(Bytes& out) : out_(out) {}

    /// An open box: its size is filled in when it goes out of scope.
    class [[nodiscard]] Box {
    public:
        Box(BoxWriter& writer, std::size_t at) : writer_(writer), at_(at) {}
        ~Box() { writer_.put_u32(at_, static_cast<std::uint32_t>(writer_.position() - at_)); }
        Box(const Box&) = delete;
        Box& operator=(const Box&) = delete;

    private:
        BoxWriter& writer_;
        std::size_t at_;
    };

    Box box(std::uint32_t type);
    Box full_box(std::uint32_t type, std::uint8_t version, std::uint32_t flags);

    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
    void u64(std::uint64_t value);
    void bytes(View data) { out_.insert(out_.end(), data.begin(), data.end()); }
    void text(std::string_view characters) { out_.insert(out_.end(), characters.begin(), characters.end()); }
    void zeros(std::size_t count) { out_.resize(out_.size() + count); }

    /// Where the next byte goes, counted from the buffer's start.
    std::size_t position() const { return out_.size(); }
    /// Overwrites four bytes that were written before.
    void put_u32(std::size_t at, std::uint32_t value);

private:
    Bytes& out_;
};

/// The start of a box. `size` counts the header too; 0 and 1 are resolved or refused by whoever reads the header.
struct BoxHeader {
    std::uint32_t size = 0;
    std::uint32_t type = 0;
};

constexpr std::size_t box_header_size = 8;

/// The first eight bytes of `data`, or nothing when there are fewer.
std::optional<BoxHeader> parse_box_header(View data);

/// One whole box with a 32-bit size inside memory.
struct Box {
    std::uint32_t type = 0;
    View payload;
    View whole;
};

/// Takes the first box off `data`; nothing at the end or when the box does not fit.
std::optional<Box> next_box(View& data);
/// The payload of the first box of this type in `data`.
std::optional<View> find_box(View data, std::uint32_t type);

}  // namespace tapedeck::mp4
