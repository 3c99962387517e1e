// RTCP (RFC 3550 section 6) with the feedback of RFC 4585, RFC 5104 and REMB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rtp/transport_feedback.hpp"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtp {

struct SenderInfo {
    std::uint64_t ntp = 0;  // 32.32 fixed point seconds since 1900
    std::uint32_t rtp = 0;  // the same moment in the stream's clock
    std::uint32_t packets = 0, octets = 0;
};

struct ReportBlock {
    std::uint32_t ssrc = 0;          // of the stream reported on
    std::uint8_t fraction_lost = 0;  // of 256, since the last report
    std::int32_t lost = 0;           // in all, 24 bits
    std::uint32_t highest = 0;       // extended sequence number
    std::uint32_t jitter = 0;        // ticks
    std::uint32_t last_sr = 0;       // the middle 32 bits of the last SenderInfo::ntp
    std::uint32_t since_sr = 0;      // 1/65536 s
};

/// SR with `sender`, RR without. At most 31 blocks.
struct Report {
    std::uint32_t ssrc = 0;
    std::optional<SenderInfo> sender;
    std::vector<ReportBlock> blocks;
};

/// SDES with one CNAME item; other items are passed over.
struct SourceName {
    std::uint32_t ssrc = 0;
    std::string cname;  // up to 255 bytes
};

struct Bye {
    std::vector<std::uint32_t> ssrcs;  // up to 31
};

/// Generic NACK (RFC 4585 section 6.2.1).
struct Nack {
    std::uint32_t sender = 0, media = 0;
    std::vector<std::uint16_t> lost;  // rising, from the oldest on
};

struct PictureLoss {
    std::uint32_t sender = 0, media = 0;
};

/// FIR (RFC 5104 section 4.3.1) for one stream; `number` rises with every new request.
struct FullIntra {
    std::uint32_t sender = 0, media = 0;
    std::uint8_t number = 0;
};

/// draft-alvestrand-rmcat-remb-03.
struct BitrateLimit {
    std::uint32_t sender = 0;
    std::uint64_t bits_per_second = 0;
    std::vector<std::uint32_t> ssrcs;  // up to 255
};

using Message = std::variant<Report, SourceName, Bye, Nack, PictureLoss, FullIntra, BitrateLimit, TransportFeedback>;

/// What a compound or reduced-size packet says; types not named above are passed over. Throws Malformed when a packet's
/// length leads past the end or its own fields do.
std::vector<Message> parse_rtcp(ByteSpan bytes);

/// Each appends one packet of a compound; limits as said above, TransportFeedback by its own function.
void append(Bytes& into, const Report& report);
void append(Bytes& into, const SourceName& name);
void append(Bytes& into, const Bye& bye);
void append(Bytes& into, const Nack& nack);
void append(Bytes& into, const PictureLoss& loss);
void append(Bytes& into, const FullIntra& request);
void append(Bytes& into, const BitrateLimit& limit);

}  // namespace tapedeck::rtp
