#include "rtp/rtcp.hpp"

#include <algorithm>

#include "rtp/wire.hpp"

namespace tapedeck::rtp {

namespace {

enum : std::uint8_t {
    type_sr = 200,
    type_rr = 201,
    type_sdes = 202,
    type_bye = 203,
    type_rtpfb = 205,
    type_psfb = 206
};
enum : std::uint8_t { rtpfb_nack = 1, rtpfb_transport = 15, psfb_pli = 1, psfb_fir = 4, psfb_application = 15 };

constexpr std::uint32_t remb = 0x52454d42;  // "REMB"

Report parse_report(ByteReader reader, bool sender, unsigned count) {
    Report report;
    report.ssrc = reader.u32();
    if (sender) {
        SenderInfo info;
        info.ntp = reader.u64();
        info.rtp = reader.u32();
        info.packets = reader.u32();
        info.octets = reader.u32();
        report.sender = info;
    }
    for (; count > 0; --count) {
        ReportBlock block;
        block.ssrc = reader.u32();
        block.fraction_lost = reader.u8();
        const auto lost = static_cast<std::int32_t>(reader.u24());
        block.lost = lost >= 0x800000 ? lost - 0x1000000 : lost;
        block.highest = reader.u32();
        block.jitter = reader.u32();
        block.last_sr = reader.u32();
        block.since_sr = reader.u32();
        report.blocks.push_back(block);
    }
    return report;
}

void parse_names(ByteReader reader, unsigned count, std::vector<Message>& into) {
    for (; count > 0; --count) {
        const auto ssrc = reader.u32();
        std::size_t used = 0;
        for (std::uint8_t item = reader.u8(); item != 0; item = reader.u8()) {
            const auto text = reader.take(reader.u8());
            if (item == 1) into.emplace_back(SourceName{ssrc, {text.begin(), text.end()}});
            used += 2 + text.size();
        }
        reader.take(3 - used % 4);  // the chunk ends on 32 bits, its ending zero included
    }
}

Nack parse_nack(ByteReader reader, std::uint32_t sender, std::uint32_t media) {
    Nack nack{sender, media, {}};
    while (!reader.empty()) {
        const auto first = reader.u16();
        const unsigned more = reader.u16();
        nack.lost.push_back(first);
        for (unsigned bit = 0; bit < 16; ++bit)
            if ((more >> bit & 1u) != 0) nack.lost.push_back(static_cast<std::uint16_t>(first + bit + 1));
    }
    return nack;
}

void parse_feedback(ByteReader reader, std::uint8_t type, unsigned format, std::vector<Message>& into) {
    const auto sender = reader.u32(), media = reader.u32();
    if (type == type_rtpfb && format == rtpfb_nack) into.emplace_back(parse_nack(reader, sender, media));
    if (type == type_rtpfb && format == rtpfb_transport)
        into.emplace_back(parse_transport_feedback(sender, media, reader.rest()));
    if (type == type_psfb && format == psfb_pli) into.emplace_back(PictureLoss{sender, media});
    if (type == type_psfb && format == psfb_fir) {
        while (!reader.empty()) {
            const auto wanted = reader.u32();
            into.emplace_back(FullIntra{sender, wanted, reader.u8()});
            reader.take(3);
        }
    }
    if (type == type_psfb && format == psfb_application && reader.left() >= 8 && reader.u32() == remb) {
        BitrateLimit limit;
        limit.sender = sender;
        unsigned count = reader.u8();
        const auto rate = reader.u24();
        limit.bits_per_second = rate >> 18 > 46 ? UINT64_MAX : std::uint64_t{rate & 0x3ffff} << (rate >> 18);
        for (; count > 0; --count) limit.ssrcs.push_back(reader.u32());
        into.emplace_back(std::move(limit));
    }
}

/// The header; `close` sets its length when the packet's bytes are there.
std::size_t open(Bytes& into, unsigned count, std::uint8_t type) {
    const auto at = into.size();
    into.insert(into.end(), {static_cast<std::uint8_t>(0x80u | count), type, 0, 0});
    return at;
}

void close(Bytes& into, std::size_t at) {
    while ((into.size() - at) % 4 != 0) into.push_back(0);
    put16(into.data() + at + 2, static_cast<std::uint16_t>((into.size() - at) / 4 - 1));
}

std::size_t open_feedback(Bytes& into, unsigned format, std::uint8_t type, std::uint32_t sender, std::uint32_t media) {
    const auto at = open(into, format, type);
    append_number(into, sender, 4);
    append_number(into, media, 4);
    return at;
}

}  // namespace

std::vector<Message> parse_rtcp(ByteSpan bytes) {
    std::vector<Message> messages;
    ByteReader reader(bytes);
    while (!reader.empty()) {
        const auto first = reader.u8();
        if (first >> 6 != 2) throw Malformed("RTCP: the version is not 2");
        const auto type = reader.u8();
        auto body = reader.take(reader.u16() * std::size_t{4});
        if ((first & 0x20) != 0) {
            if (body.empty() || body.back() == 0 || body.back() > body.size())
                throw Malformed("RTCP: more padding than bytes");
            body = body.first(body.size() - body.back());
        }
        const unsigned count = first & 0x1f;
        if (type == type_sr || type == type_rr) {
            messages.emplace_back(parse_report(ByteReader(body), type == type_sr, count));
        } else if (type == type_sdes) {
            parse_names(ByteReader(body), count, messages);
        } else if (type == type_bye) {
            Bye bye;
            ByteReader ssrcs(body);
            for (auto left = count; left > 0; --left) bye.ssrcs.push_back(ssrcs.u32());
            messages.emplace_back(std::move(bye));
        } else if (type == type_rtpfb || type == type_psfb) {
            parse_feedback(ByteReader(body), type, count, messages);
        }
    }
    return messages;
}

void append(Bytes& into, const Report& report) {
    const auto at = open(into, static_cast<unsigned>(report.blocks.size()), report.sender ? type_sr : type_rr);
    append_number(into, report.ssrc, 4);
    if (report.sender) {
        append_number(into, report.sender->ntp, 8);
        append_number(into, report.sender->rtp, 4);
        append_number(into, report.sender->packets, 4);
        append_number(into, report.sender->octets, 4);
    }
    for (const auto& block : report.blocks) {
        append_number(into, block.ssrc, 4);
        append_number(into, block.fraction_lost, 1);
        append_number(into, static_cast<std::uint32_t>(std::clamp(block.lost, -0x800000, 0x7fffff)), 3);
        append_number(into, block.highest, 4);
        append_number(into, block.jitter, 4);
        append_number(into, block.last_sr, 4);
        append_number(into, block.since_sr, 4);
    }
    close(into, at);
}

void append(Bytes& into, const SourceName& name) {
    const auto at = open(into, 1, type_sdes);
    append_number(into, name.ssrc, 4);
    into.push_back(1);
    into.push_back(static_cast<std::uint8_t>(name.cname.size()));
    into.insert(into.end(), name.cname.begin(), name.cname.end());
    into.push_back(0);
    close(into, at);
}

void append(Bytes& into, const Bye& bye) {
    const auto at = open(into, static_cast<unsigned>(bye.ssrcs.size()), type_bye);
    for (const auto ssrc : bye.ssrcs) append_number(into, ssrc, 4);
    close(into, at);
}

void append(Bytes& into, const Nack& nack) {
    const auto at = open_feedback(into, rtpfb_nack, type_rtpfb, nack.sender, nack.media);
    for (std::size_t i = 0; i < nack.lost.size();) {
        const auto first = nack.lost[i++];
        unsigned more = 0;
        for (; i < nack.lost.size(); ++i) {
            const auto distance = static_cast<std::uint16_t>(nack.lost[i] - first);
            if (distance == 0 || distance > 16) break;
            more |= 1u << (distance - 1u);
        }
        append_number(into, first, 2);
        append_number(into, more, 2);
    }
    close(into, at);
}

void append(Bytes& into, const PictureLoss& loss) {
    close(into, open_feedback(into, psfb_pli, type_psfb, loss.sender, loss.media));
}

void append(Bytes& into, const FullIntra& request) {
    const auto at = open_feedback(into, psfb_fir, type_psfb, request.sender, 0);
    append_number(into, request.media, 4);
    append_number(into, std::uint64_t{request.number} << 24, 4);
    close(into, at);
}

void append(Bytes& into, const BitrateLimit& limit) {
    const auto at = open_feedback(into, psfb_application, type_psfb, limit.sender, 0);
    append_number(into, remb, 4);
    auto mantissa = limit.bits_per_second;
    unsigned exponent = 0;
    for (; mantissa > 0x3ffff; ++exponent) mantissa >>= 1;
    append_number(into, limit.ssrcs.size(), 1);
    append_number(into, exponent << 18 | mantissa, 3);
    for (const auto ssrc : limit.ssrcs) append_number(into, ssrc, 4);
    close(into, at);
}

}  // namespace tapedeck::rtp
