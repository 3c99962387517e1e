// Big-endian numbers and bits out of untrusted bytes: the one place where lengths are checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace tapedeck {

using ByteSpan = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

/// Input breaks its format's rules; the text says which rule.
class Malformed : public std::runtime_error {
public:
    explicit Malformed(const std::string& text) : std::runtime_error(text) {}
};

/// Reads from the front of borrowed bytes. Throws Malformed instead of reading past the end.
class ByteReader {
public:
    explicit ByteReader(ByteSpan bytes) : rest_(bytes) {}

    std::size_t left() const { return rest_.size(); }
    bool empty() const { return rest_.empty(); }
    ByteSpan rest() const { return rest_; }

    std::uint8_t u8() { return take(1)[0]; }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }

    /// The next `count` bytes, which stay where they are.
    ByteSpan take(std::size_t count) {
        if (count > rest_.size())
            throw Malformed(std::to_string(count) + " bytes wanted, " + std::to_string(rest_.size()) + " left");
        const auto taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

private:
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (const auto byte : take(bytes)) value = value << 8 | byte;
        return value;
    }

    ByteSpan rest_;
};

/// Reads bits from the most significant one on. Throws Malformed instead of reading past the end.
class BitReader {
public:
    explicit BitReader(ByteSpan bytes) : bytes_(bytes) {}

    std::size_t left() const { return bytes_.size() * 8 - at_; }

    /// The next `count` bits, 32 at most.
    std::uint32_t bits(unsigned count) {
        if (count > 32 || count > left()) throw Malformed("the bits end too early");
        std::uint64_t value = 0;
        while (count-- > 0) {
            value = value << 1 | static_cast<unsigned>(bytes_[at_ / 8] >> (7 - at_ % 8) & 1);
            ++at_;
        }
        return static_cast<std::uint32_t>(value);
    }
    bool flag() { return bits(1) != 0; }

    /// ue(v): an unsigned Exp-Golomb number (ITU-T H.264 section 9.1).
    std::uint32_t golomb() {
        unsigned zeros = 0;
        while (!flag())
            if (++zeros > 31) throw Malformed("an Exp-Golomb number exceeds 32 bits");
        return static_cast<std::uint32_t>((std::uint64_t{1} << zeros) - 1 + bits(zeros));
    }
    /// se(v), section 9.1.1.
    std::int32_t signed_golomb() {
        const std::int64_t code = golomb();
        return static_cast<std::int32_t>(code % 2 != 0 ? (code + 1) / 2 : -(code / 2));
    }

private:
    ByteSpan bytes_;
    std::size_t at_ = 0;
};

}  // namespace tapedeck
