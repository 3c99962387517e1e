#include <algorithm>
#include <array>
#include <charconv>

#include "tapedeck/context.hpp"
#include "webrtc/data/sctp.hpp"
#include "webrtc/media/sdp.hpp"

namespace tapedeck::webrtc::sdp {

namespace {

constexpr std::string_view transport_cc_uri =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
constexpr std::string_view send_time_uri = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
constexpr std::string_view mid_uri = "urn:ietf:params:rtp-hdrext:sdes:mid";

struct Known {
    std::string_view name, kind;
    std::uint32_t id, clock, channels;
};
constexpr std::array<Known, 6> known{{{"opus", "audio", TD_CODEC_OPUS, 48000, 2},
                                      {"PCMA", "audio", TD_CODEC_PCMA, 8000, 1},
                                      {"PCMU", "audio", TD_CODEC_PCMU, 8000, 1},
                                      {"G722", "audio", TD_CODEC_G722, 8000, 1},
                                      {"H264", "video", TD_CODEC_H264, 90000, 1},
                                      {"VP8", "video", TD_CODEC_VP8, 90000, 1}}};

/// Its TD_CODEC_*, or 0.
std::uint32_t id_of(const Codec& codec, std::string_view kind) {
    for (const auto& one : known)
        if (codec.is(one.name) && kind == one.kind && codec.clock == one.clock && codec.channels == one.channels)
            return one.id;
    return 0;
}

/// Whether H.264 may come in fragments.
bool is_mode_1(const Codec& codec) {
    return codec.parameter("packetization-mode").value_or("0") == "1";
}

std::optional<Codec> rtx_of(const Line& line, const Codec& codec) {
    for (const auto& one : line.codecs)
        if (one.is("rtx") && one.clock == codec.clock &&
            one.parameter("apt").value_or("") == std::to_string(codec.payload_type))
            return one;
    return std::nullopt;
}

/// Sound in RED is the codec's own packets again. Pictures in RED come with FEC, and all of them come so: lost ones are
/// repeated as RED, or not at all. A lost FEC packet looks like a lost picture where pictures have no numbers, which is
/// worse than no FEC where lost packets are repeated.
void add_redundancy(Chosen& chosen, const Line& line) {
    const auto& codec = chosen.codec;
    const auto number = std::to_string(codec.payload_type);
    const auto named = [&](std::string_view name) -> std::optional<Codec> {
        for (const auto& one : line.codecs)
            if (one.is(name) && one.clock == codec.clock && one.channels == codec.channels &&
                (line.kind != "audio" || one.fmtp == number || one.fmtp.starts_with(number + "/")))
                return one;
        return std::nullopt;
    };
    const auto red = named("red"), ulpfec = named("ulpfec");
    if (!red || line.kind == "audio") {
        chosen.red = red;
        return;
    }
    const auto red_rtx = rtx_of(line, *red);
    const bool has_numbers = chosen.id == TD_CODEC_VP8 || !codec.has_feedback("nack");
    if (!ulpfec || !has_numbers || (chosen.rtx && !red_rtx)) return;
    chosen.red = red;
    chosen.red_rtx = red_rtx;
    chosen.ulpfec = ulpfec;
}

/// What comes with a codec in the answer, itself first.
std::vector<const Codec*> codecs_of(const Chosen& chosen) {
    std::vector<const Codec*> all{&chosen.codec};
    for (const auto* one : {&chosen.rtx, &chosen.red, &chosen.red_rtx, &chosen.ulpfec})
        if (*one) all.push_back(&**one);
    return all;
}

/// All that can be taken, the best first.
std::vector<Chosen> common(const Line& line, const std::vector<std::string>& preferred, bool publishes) {
    struct Ranked {
        std::size_t rank;
        bool is_mode_0;
        Chosen chosen;
    };
    std::vector<Ranked> found;
    std::vector<std::uint32_t> order;  // of the offer
    for (const auto& codec : line.codecs) {
        const auto id = id_of(codec, line.kind);
        const bool is_mode_0 = id == TD_CODEC_H264 && !is_mode_1(codec);
        if (id == 0 || (is_mode_0 && !publishes)) continue;
        if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
        const auto wanted =
            std::find_if(preferred.begin(), preferred.end(), [&](const std::string& name) { return codec.is(name); });
        if (wanted == preferred.end()) continue;
        const auto rank =
            static_cast<std::size_t>(line.kind == "audio" ? wanted - preferred.begin()
                                                          : std::find(order.begin(), order.end(), id) - order.begin());
        Chosen taken{codec, id, rtx_of(line, codec), {}, {}, {}};
        if (publishes) add_redundancy(taken, line);
        found.push_back({rank, is_mode_0, std::move(taken)});
    }
    std::stable_sort(found.begin(), found.end(), [](const Ranked& a, const Ranked& b) {
        return a.rank != b.rank ? a.rank < b.rank : a.is_mode_0 < b.is_mode_0;
    });
    std::vector<Chosen> chosen;
    for (auto& one : found) {
        const auto is_it = [&](const Chosen& c) { return c.id == one.chosen.id; };
        if (std::none_of(chosen.begin(), chosen.end(), is_it)) chosen.push_back(std::move(one.chosen));
    }
    if (publishes && chosen.size() > 1) chosen.resize(1);
    return chosen;
}

std::optional<std::uint8_t> extension_of(const Line& line, std::string_view uri) {
    for (const auto& [id, name] : line.extensions)
        if (name == uri) return id;
    return std::nullopt;
}

bool is_usable(const Line& line, bool publishes) {
    const auto other = publishes ? Direction::recvonly : Direction::sendonly;
    return line.is_offered && line.has_rtcp_mux && line.protocol.ends_with("TLS/RTP/SAVPF") &&
           line.direction != other && line.direction != Direction::inactive;
}

bool is_data(const Line& line) {
    return line.is_offered && line.kind == "application" && line.protocol.ends_with("DTLS/SCTP") &&
           line.first_format == "webrtc-datachannel" && line.sctp_port.value_or(0) != 0;
}

bool is_bundled(const Offer& offer, const Line& line) {
    return !line.mid.empty() && std::find(offer.bundle.begin(), offer.bundle.end(), line.mid) != offer.bundle.end();
}

/// Collects lines.
class Text {
public:
    template <class... Parts>
    void line(const Parts&... parts) {
        (text_.append(parts), ...);
        text_ += "\r\n";
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string ip_of(const Endpoint& endpoint) {
    auto text = endpoint.text();
    text.resize(text.rfind(':'));
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    return text;
}

std::string connection_of(const Endpoint& endpoint) {
    return (endpoint.is_v4() ? "IN IP4 " : "IN IP6 ") + ip_of(endpoint);
}

/// What a receiver declares of a sender is not ours to repeat.
std::string answered_fmtp(const Codec& codec) {
    std::string kept;
    for (std::string_view rest = codec.fmtp; !rest.empty();) {
        const auto end = rest.find(';');
        const auto one = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const auto from = one.find_first_not_of(' ');
        if (from == std::string_view::npos || one.substr(from).starts_with("sprop-")) continue;
        if (!kept.empty()) kept += ';';
        kept += one.substr(from);
    }
    return kept;
}

void write_codec(Text& text, const Codec& codec) {
    const auto number = std::to_string(codec.payload_type);
    text.line("a=rtpmap:", number, " ", codec.name, "/", std::to_string(codec.clock),
              codec.channels > 1 ? "/" + std::to_string(codec.channels) : "");
    if (const auto fmtp = answered_fmtp(codec); !fmtp.empty()) text.line("a=fmtp:", number, " ", fmtp);
}

void write_codecs(Text& text, const Choice& choice, bool publishes) {
    for (const auto& chosen : choice.codecs) {
        const auto number = std::to_string(chosen.codec.payload_type);
        write_codec(text, chosen.codec);
        for (const auto* kind : {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}) {
            const std::string_view name(kind);
            if (!publishes && (name == "goog-remb" || name == "transport-cc")) continue;
            if (name == "transport-cc" && !choice.transport_cc) continue;
            if (chosen.codec.has_feedback(name)) text.line("a=rtcp-fb:", number, " ", name);
        }
        for (const auto* codec : codecs_of(chosen))
            if (codec != &chosen.codec) write_codec(text, *codec);
    }
}

void write_ssrcs(Text& text, const Choice& choice, const std::string& stream) {
    if (choice.ssrc == 0) return;
    const auto ssrc = std::to_string(choice.ssrc);
    if (choice.rtx_ssrc != 0) text.line("a=ssrc-group:FID ", ssrc, " ", std::to_string(choice.rtx_ssrc));
    text.line("a=ssrc:", ssrc, " cname:", stream);
    if (choice.rtx_ssrc != 0) text.line("a=ssrc:", std::to_string(choice.rtx_ssrc), " cname:", stream);
}

/// With the priorities of RFC 8445 section 5.1.2.1 and, below them, of passive TCP, RFC 6544 section 4.2.
void write_candidates(Text& text, const std::vector<Endpoint>& candidates, bool has_tcp) {
    std::uint32_t foundation = 1;
    const auto write = [&](const Endpoint& candidate, std::string_view protocol, std::uint32_t local_preference,
                           std::string_view more) {
        constexpr std::uint32_t host_preference = 126;
        const auto priority = host_preference << 24 | local_preference << 8 | 255;
        text.line("a=candidate:", std::to_string(foundation++), " 1 ", protocol, " ", std::to_string(priority), " ",
                  ip_of(candidate), " ", std::to_string(candidate.port), " typ host", more);
    };
    std::uint32_t preference = 65535, tcp_preference = 4 << 13 | 8191;
    for (const auto& candidate : candidates) write(candidate, "udp", preference--, "");
    for (const auto& candidate : candidates)
        if (has_tcp) write(candidate, "tcp", tcp_preference--, " tcptype passive");
    text.line("a=end-of-candidates");
}

/// How the one transport is reached.
void write_transport(Text& text, const Local& local) {
    text.line("a=ice-ufrag:", local.ice.ufrag);
    text.line("a=ice-pwd:", local.ice.pwd);
    text.line("a=fingerprint:", local.fingerprint.text());
    text.line(local.role == DtlsRole::server ? "a=setup:passive" : "a=setup:active");
    write_candidates(text, local.candidates, local.has_tcp);
}

/// RFC 8841 section 10.
void write_data(Text& text, const Line& line, const Local& local) {
    text.line("m=", line.kind, " ", std::to_string(local.candidates.front().port), " ", line.protocol, " ",
              line.first_format);
    text.line("c=", connection_of(local.candidates.front()));
    text.line("a=mid:", line.mid);
    text.line("a=sctp-port:", std::to_string(SctpAssociation::usual_port));
    text.line("a=max-message-size:", std::to_string(SctpAssociation::largest_message));
    write_transport(text, local);
}

void write_line(Text& text, const Line& line, const Choice& choice, const Local& local) {
    std::string formats;
    for (const auto& chosen : choice.codecs)
        for (const auto* codec : codecs_of(chosen)) formats += " " + std::to_string(codec->payload_type);
    text.line("m=", line.kind, " ", std::to_string(local.candidates.front().port), " ", line.protocol, formats);
    text.line("c=", connection_of(local.candidates.front()));
    if (!line.mid.empty()) text.line("a=mid:", line.mid);
    text.line(local.publishes ? "a=recvonly" : "a=sendonly");
    text.line("a=rtcp-mux");
    if (line.has_reduced_size) text.line("a=rtcp-rsize");
    write_codecs(text, choice, local.publishes);
    if (choice.send_time) text.line("a=extmap:", std::to_string(*choice.send_time), " ", send_time_uri);
    if (choice.transport_cc) text.line("a=extmap:", std::to_string(*choice.transport_cc), " ", transport_cc_uri);
    if (choice.mid) text.line("a=extmap:", std::to_string(*choice.mid), " ", mid_uri);
    if (!local.publishes) {
        text.line("a=msid:", local.stream, " ", local.stream, "-", line.kind);
        write_ssrcs(text, choice, local.stream);
    }
    write_transport(text, local);
}

}  // namespace

std::vector<Choice> choose(const Offer& offer, const Preferences& preferences, bool publishes) {
    std::vector<Choice> choices(offer.lines.size());
    const Line* first = nullptr;
    for (const auto* kind : {"audio", "video"}) {
        for (std::size_t i = 0; i < choices.size(); ++i) {
            const auto& line = offer.lines[i];
            if (line.kind != kind || !is_usable(line, publishes)) continue;
            // One transport carries all.
            if (first != nullptr && !(is_bundled(offer, *first) && is_bundled(offer, line))) continue;
            auto codecs = common(line, line.kind == "audio" ? preferences.audio : preferences.video, publishes);
            if (codecs.empty()) continue;
            auto& choice = choices[i];
            choice.codecs = std::move(codecs);
            choice.mid = extension_of(line, mid_uri);
            if (publishes) choice.transport_cc = extension_of(line, transport_cc_uri);
            if (publishes) choice.send_time = extension_of(line, send_time_uri);
            first = &line;
            break;
        }
    }
    if (first == nullptr) throw Error(TD_UNSUPPORTED, "No common codecs");
    if (!publishes || !is_bundled(offer, *first)) return choices;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        choices[i].is_data = is_data(offer.lines[i]) && is_bundled(offer, offer.lines[i]);
        if (choices[i].is_data) break;
    }
    return choices;
}

void narrow(Choice& choice, std::uint32_t id) {
    const auto found =
        std::find_if(choice.codecs.begin(), choice.codecs.end(), [&](const Chosen& one) { return one.id == id; });
    if (found != choice.codecs.end()) choice.codecs = {Chosen(*found)};
}

std::string write_answer(const Offer& offer, const std::vector<Choice>& choices, const Local& local) {
    Text text;
    text.line("v=0");
    text.line("o=- ", std::to_string(local.id), " 1 ", connection_of(local.candidates.front()));
    text.line("s=-");
    text.line("t=0 0");
    text.line("a=ice-lite");
    std::string group;
    for (const auto& mid : offer.bundle)
        for (std::size_t i = 0; i < choices.size(); ++i)
            if (offer.lines[i].mid == mid && (!choices[i].codecs.empty() || choices[i].is_data)) group += " " + mid;
    if (!group.empty()) text.line("a=group:BUNDLE", group);
    text.line("a=msid-semantic: WMS ", local.publishes ? "*" : local.stream);
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const auto& line = offer.lines[i];
        if (!choices[i].codecs.empty()) {
            write_line(text, line, choices[i], local);
            continue;
        }
        if (choices[i].is_data) {
            write_data(text, line, local);
            continue;
        }
        text.line("m=", line.kind, " 0 ", line.protocol, " ", line.first_format);
        text.line("c=", connection_of(local.candidates.front()));
        if (!line.mid.empty()) text.line("a=mid:", line.mid);
        text.line("a=inactive");
    }
    return text.take();
}

}  // namespace tapedeck::webrtc::sdp
