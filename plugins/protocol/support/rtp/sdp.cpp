#include "rtp/sdp.hpp"

#include <algorithm>
#include <charconv>

namespace tapedeck::sdp {

namespace {

constexpr std::size_t most_bytes = 128 * 1024, most_lines = 4096, most_media = 32, most_values = 64, longest_mid = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

/// Takes what stands before `separator`, or all.
std::string_view take(std::string_view& rest, char separator) {
    const auto at = rest.find(separator);
    const auto taken = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return taken;
}

std::string_view word(std::string_view& rest) {
    rest = trimmed(rest);
    return trimmed(take(rest, ' '));
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
    return value;
}

/// Names of the static payload types that are of use (RFC 3551 section 6).
void name_static(Codec& codec) {
    constexpr std::pair<int, const char*> known[] = {{0, "PCMU"}, {8, "PCMA"}, {9, "G722"}};
    for (const auto& [payload_type, name] : known)
        if (codec.payload_type == payload_type) {
            codec.name = name;
            codec.clock = 8000;
        }
}

Line media_line(std::string_view value) {
    Line line;
    line.kind = word(value);
    auto port = word(value);
    line.protocol = word(value);
    const auto port_number = number(take(port, '/'), 65535);
    if (line.kind.empty() || !port_number || line.protocol.empty()) throw Malformed("an m-line of an SDP is torn");
    line.is_offered = *port_number != 0;
    line.first_format = "0";
    for (bool first = true; !value.empty(); first = false) {
        const auto format = word(value);
        if (format.empty()) break;
        if (first) line.first_format = format;
        const auto payload_type = number(format, 127);
        const auto is_it = [&](const Codec& c) { return c.payload_type == payload_type; };
        if (!payload_type || std::any_of(line.codecs.begin(), line.codecs.end(), is_it)) continue;
        Codec codec;
        codec.payload_type = static_cast<std::uint8_t>(*payload_type);
        name_static(codec);
        line.codecs.push_back(std::move(codec));
    }
    return line;
}

Codec* find(Line& line, std::string_view payload_type) {
    const auto wanted = number(payload_type, 127);
    const auto found = std::find_if(line.codecs.begin(), line.codecs.end(),
                                    [&](const Codec& codec) { return codec.payload_type == wanted; });
    return found == line.codecs.end() ? nullptr : &*found;
}

void rtpmap(Line& line, std::string_view value) {
    auto* codec = find(line, word(value));
    if (codec == nullptr) return;
    auto encoding = word(value);
    const auto name = take(encoding, '/');
    const auto clock = number(take(encoding, '/'), 1'000'000);
    const auto channels = encoding.empty() ? 1 : number(encoding, 255);
    if (name.empty() || !clock || *clock == 0 || !channels || *channels == 0) return;
    codec->name = name;
    codec->clock = *clock;
    codec->channels = *channels;
}

void feedback(Line& line, std::string_view value) {
    const auto payload_type = word(value);
    const auto add = [&](Codec& codec) {
        if (codec.feedback.size() < most_values) codec.feedback.emplace_back(trimmed(value));
    };
    if (payload_type == "*")
        for (auto& codec : line.codecs) add(codec);
    else if (auto* codec = find(line, payload_type))
        add(*codec);
}

void extension(Line& line, std::string_view value) {
    auto id = word(value);
    const auto taken = number(take(id, '/'), 255);
    if (taken && *taken != 0 && line.extensions.size() < most_values)
        line.extensions.emplace_back(static_cast<std::uint8_t>(*taken), word(value));
}

/// An a-line; `line` is the session level before the first m-line.
void attribute(Description& offer, Line& line, std::string_view value) {
    const auto name = trimmed(take(value, ':'));
    value = trimmed(value);
    if (name == "rtpmap") {
        rtpmap(line, value);
    } else if (name == "fmtp") {
        if (auto* codec = find(line, word(value))) codec->fmtp = trimmed(value);
    } else if (name == "rtcp-fb") {
        feedback(line, value);
    } else if (name == "extmap") {
        extension(line, value);
    } else if (name == "mid") {
        if (value.size() > longest_mid) throw Malformed("a mid of an SDP is too long");
        line.mid = value;
    } else if (name == "sendrecv") {
        line.direction = Direction::sendrecv;
    } else if (name == "sendonly") {
        line.direction = Direction::sendonly;
    } else if (name == "recvonly") {
        line.direction = Direction::recvonly;
    } else if (name == "inactive") {
        line.direction = Direction::inactive;
    } else if (name == "rtcp-mux") {
        line.has_rtcp_mux = true;
    } else if (name == "rtcp-rsize") {
        line.has_reduced_size = true;
    } else if (name == "sctp-port") {
        if (const auto port = number(value, 65535)) line.sctp_port = static_cast<std::uint16_t>(*port);
    } else if (name == "bundle-only") {
        line.is_offered = true;
    } else if (name == "ice-ufrag") {
        line.ufrag = value;
    } else if (name == "fingerprint") {
        line.fingerprint = value;
    } else if (name == "setup") {
        line.setup = value;
    } else if (name == "control") {
        line.control = value;
    } else if (name == "group" && offer.bundle.empty() && word(value) == "BUNDLE") {
        while (!value.empty() && offer.bundle.size() < most_media) offer.bundle.emplace_back(word(value));
    }
}

}  // namespace

std::optional<Bytes> from_base64(std::string_view text) {
    const auto six_bits = [](char c) -> int {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        if (c == '+') return 62;
        return c == '/' ? 63 : -1;
    };
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    if (text.empty() || text.size() % 4 == 1) return std::nullopt;
    Bytes bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto value = six_bits(c);
        if (value < 0) return std::nullopt;
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<std::uint8_t>(bits >> count & 0xff));
    }
    return bytes;
}

bool Codec::is(std::string_view other) const {
    return same(name, other);
}

bool Codec::has_feedback(std::string_view wanted) const {
    return std::find(feedback.begin(), feedback.end(), wanted) != feedback.end();
}

std::optional<std::string_view> Codec::parameter(std::string_view wanted) const {
    for (std::string_view rest = fmtp; !rest.empty();) {
        auto value = take(rest, ';');
        const auto key = trimmed(take(value, '='));
        if (same(key, wanted)) return trimmed(value);
    }
    return std::nullopt;
}

Description parse(std::string_view text) {
    if (text.size() > most_bytes) throw Malformed("an SDP of " + std::to_string(text.size()) + " bytes is too long");
    Description offer;
    Line session;
    bool has_version = false;
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == most_lines) throw Malformed("an SDP has over 4096 lines");
        const auto line = trimmed(take(text, '\n'));
        if (line.empty()) continue;
        if (line.size() < 2 || line[1] != '=') throw Malformed("a line of an SDP does not begin with a type");
        const auto value = line.substr(2);
        if (!has_version && line != "v=0") throw Malformed("an SDP does not begin with v=0");
        has_version = true;
        if (line[0] == 'm') {
            if (offer.lines.size() == most_media) throw Malformed("an SDP has over 32 m-lines");
            offer.lines.push_back(media_line(value));
            offer.lines.back().direction = session.direction;
        } else if (line[0] == 'a') {
            attribute(offer, offer.lines.empty() ? session : offer.lines.back(), value);
        }
    }
    if (!has_version) throw Malformed("an SDP is empty");
    offer.control = session.control;
    for (auto& line : offer.lines) {
        std::erase_if(line.codecs, [](const Codec& codec) { return codec.name.empty(); });
        if (line.ufrag.empty()) line.ufrag = session.ufrag;
        if (line.fingerprint.empty()) line.fingerprint = session.fingerprint;
        if (line.setup.empty()) line.setup = session.setup;
    }
    return offer;
}

std::vector<Bytes> parameter_sets(const Codec& codec) {
    std::vector<Bytes> sets;
    for (const auto* name : {"sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"})
        for (auto rest = codec.parameter(name).value_or(""); !rest.empty() && sets.size() < most_values;)
            if (auto bytes = from_base64(take(rest, ','))) sets.push_back(std::move(*bytes));
    return sets;
}

}  // namespace tapedeck::sdp
