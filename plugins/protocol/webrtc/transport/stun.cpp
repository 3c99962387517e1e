#include "webrtc/transport/stun.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <vector>

namespace tapedeck::webrtc::stun {

namespace {

constexpr std::size_t header_size = 20, integrity_size = 20, longest = 1500;
constexpr std::uint32_t cookie = 0x2112a442;
constexpr std::array<std::uint8_t, 4> cookie_bytes{0x21, 0x12, 0xa4, 0x42};

enum Attribute : std::uint16_t {
    username_type = 0x0006,
    integrity_type = 0x0008,
    error_type = 0x0009,
    unknown_type = 0x000a,
    xor_mapped_type = 0x0020,
    priority_type = 0x0024,
    use_candidate_type = 0x0025,
    fingerprint_type = 0x8028,
    controlled_type = 0x8029,
    controlling_type = 0x802a
};

std::uint32_t fingerprint(ByteSpan bytes) {
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum() ^ 0x5354554e;
}

template <class Number>
void put(std::uint8_t* at, Number value) {
    for (std::size_t i = sizeof value; i-- > 0; value = static_cast<Number>(value >> 8 * (sizeof value > 1)))
        at[i] = static_cast<std::uint8_t>(value);
}

/// The HMAC of what stands before MESSAGE-INTEGRITY, with the length that the header has up to its end.
std::array<std::uint8_t, integrity_size> integrity(ByteSpan before, std::string_view password) {
    std::array<std::uint8_t, longest> text{};
    std::array<std::uint8_t, integrity_size> made{};
    std::copy(before.begin(), before.end(), text.begin());
    put(&text[2], static_cast<std::uint16_t>(before.size() + 4 + integrity_size - header_size));
    unsigned size = integrity_size;
    HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()), text.data(), before.size(), made.data(),
         &size);
    return made;
}

/// XOR-MAPPED-ADDRESS is hidden under the cookie and, for IPv6, the transaction (RFC 8489 section 14.2).
void toggle(std::span<std::uint8_t> ip, const Transaction& transaction) {
    for (std::size_t i = 0; i < ip.size(); ++i)
        ip[i] = static_cast<std::uint8_t>(ip[i] ^ (i < 4 ? cookie_bytes[i] : transaction[i - 4]));
}

std::optional<Endpoint> mapped_address(ByteSpan value, const Transaction& transaction) {
    if (value.size() < 4 || value.size() != (value[1] == 1 ? 8u : 20u) || value[1] > 2) return {};
    ByteReader reader(value.subspan(2));
    const auto port = static_cast<std::uint16_t>(reader.u16() ^ cookie >> 16);
    std::array<std::uint8_t, 16> ip{};
    std::copy(reader.rest().begin(), reader.rest().end(), ip.begin());
    toggle(std::span(ip).first(reader.left()), transaction);
    if (value[1] == 1) {
        in_addr four{};
        std::memcpy(&four, ip.data(), 4);
        return Endpoint::v4(four, port);
    }
    return Endpoint{ip, port};
}

/// False if the value breaks the rules of its type.
bool take(Message& message, std::uint16_t type, ByteSpan value) {
    ByteReader reader(value);
    switch (type) {
        case username_type:
            message.username = {static_cast<const char*>(static_cast<const void*>(value.data())), value.size()};
            return value.size() <= 513;
        case priority_type:
            if (value.size() != 4) return false;
            message.priority = reader.u32();
            return true;
        case use_candidate_type:
            message.use_candidate = true;
            return value.empty();
        case controlled_type:
        case controlling_type:
            if (value.size() != 8) return false;
            (type == controlled_type ? message.controlled : message.controlling) = reader.u64();
            return true;
        case xor_mapped_type:
            message.mapped = mapped_address(value, message.transaction);
            return message.mapped.has_value();
        case error_type:
            if (value.size() < 4) return false;
            message.error = (value[2] & 7) * 100 + value[3];
            return true;
        case unknown_type:
            return true;
        default:
            if (type < 0x8000 && message.unknown == 0) message.unknown = type;
            return true;
    }
}

}  // namespace

std::optional<Message> parse(ByteSpan datagram) {
    if (datagram.size() < header_size || datagram.size() > longest || datagram[0] > 3) return {};
    ByteReader reader(datagram);
    const auto type = reader.u16(), length = reader.u16();
    if (length % 4 != 0 || length != datagram.size() - header_size || reader.u32() != cookie) return {};
    Message message;
    message.bytes = datagram;
    message.kind = static_cast<Kind>((type >> 7 & 2) | (type >> 4 & 1));
    message.method = static_cast<std::uint16_t>((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
    const auto transaction = reader.take(12);
    std::copy(transaction.begin(), transaction.end(), message.transaction.begin());
    while (reader.left() >= 4) {
        const auto at = datagram.size() - reader.left();
        const auto kind = reader.u16(), size = reader.u16();
        const auto padded = (size + 3u) / 4 * 4;
        if (padded > reader.left()) return {};
        const auto value = reader.take(padded).first(size);
        if (kind == fingerprint_type) {
            if (size != 4 || !reader.empty()) return {};
            if (ByteReader(value).u32() != fingerprint(datagram.first(at))) return {};
            message.has_fingerprint = true;
        } else if (message.integrity_at == 0) {
            if (kind == integrity_type) {
                if (size != integrity_size) return {};
                message.integrity_at = at;
            } else if (!take(message, kind, value)) {
                return {};
            }
        }
    }
    return message;
}

bool is_signed(const Message& message, std::string_view password) {
    if (message.integrity_at == 0 || password.empty()) return false;
    const auto expected = integrity(message.bytes.first(message.integrity_at), password);
    return CRYPTO_memcmp(expected.data(), message.bytes.data() + message.integrity_at + 4, integrity_size) == 0;
}

Writer::Writer(std::span<std::uint8_t> into, Kind kind, std::uint16_t method, const Transaction& transaction)
    : into_(into.first(std::min(into.size(), longest))) {
    is_short_ = into_.size() < header_size;
    if (is_short_) return;
    const unsigned bits = static_cast<unsigned>(kind), number = method;
    put(&into_[0], static_cast<std::uint16_t>((number & 0xf) | (number & 0x70) << 1 | (number & 0xf80) << 2 |
                                              (bits & 2) << 7 | (bits & 1) << 4));
    put(&into_[4], cookie);
    std::copy(transaction.begin(), transaction.end(), into_.begin() + 8);
    size_ = header_size;
}

std::span<std::uint8_t> Writer::attribute(std::uint16_t type, std::size_t size) {
    const auto padded = (size + 3) / 4 * 4;
    if (is_short_ || into_.size() - size_ < 4 + padded) {
        is_short_ = true;
        return {};
    }
    const auto whole = into_.subspan(size_, 4 + padded);
    std::fill(whole.begin(), whole.end(), std::uint8_t{0});
    put(&whole[0], type);
    put(&whole[2], static_cast<std::uint16_t>(size));
    size_ += whole.size();
    return whole.subspan(4, size);
}

void Writer::set_length(std::size_t whole) {
    put(&into_[2], static_cast<std::uint16_t>(whole - header_size));
}

void Writer::username(std::string_view name) {
    const auto value = attribute(username_type, name.size());
    if (!value.empty()) std::memcpy(value.data(), name.data(), value.size());
}

void Writer::priority(std::uint32_t number) {
    if (const auto value = attribute(priority_type, 4); !value.empty()) put(value.data(), number);
}

void Writer::use_candidate() {
    attribute(use_candidate_type, 0);
}

void Writer::controlling(std::uint64_t tie_breaker) {
    if (const auto value = attribute(controlling_type, 8); !value.empty()) put(value.data(), tie_breaker);
}

void Writer::mapped(const Endpoint& address) {
    const auto ip = std::span(address.ip).subspan(address.is_v4() ? 12 : 0);
    const auto value = attribute(xor_mapped_type, 4 + ip.size());
    if (value.empty()) return;
    value[1] = address.is_v4() ? 1 : 2;
    put(&value[2], static_cast<std::uint16_t>(address.port ^ cookie >> 16));
    std::copy(ip.begin(), ip.end(), value.begin() + 4);
    Transaction transaction{};
    std::copy_n(into_.begin() + 8, transaction.size(), transaction.begin());
    toggle(value.subspan(4), transaction);
}

void Writer::error(int code) {
    const auto value = attribute(error_type, 4);
    if (value.empty()) return;
    value[2] = static_cast<std::uint8_t>(code / 100);
    value[3] = static_cast<std::uint8_t>(code % 100);
}

void Writer::unknown(std::uint16_t type) {
    if (const auto value = attribute(unknown_type, 2); !value.empty()) put(value.data(), type);
}

ByteSpan Writer::finish(std::string_view password) {
    if (!password.empty()) {
        const auto before = size_;
        if (const auto value = attribute(integrity_type, integrity_size); !value.empty()) {
            const auto made = integrity(into_.first(before), password);
            std::copy(made.begin(), made.end(), value.begin());
        }
    }
    const auto before = size_;
    if (const auto value = attribute(fingerprint_type, 4); !value.empty()) {
        set_length(size_);
        put(value.data(), fingerprint(into_.first(before)));
    }
    return is_short_ ? ByteSpan() : into_.first(size_);
}

}  // namespace tapedeck::webrtc::stun
