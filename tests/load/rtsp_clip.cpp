#include "rtsp_clip.hpp"

#include <openssl/evp.h>

#include <array>

#include "rtp/packet.hpp"
#include "rtp/wire.hpp"

namespace tapedeck::load {
namespace {

constexpr std::uint8_t first_payload_type = 96;

std::string base64(ByteSpan bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    text.resize(static_cast<std::size_t>(
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()))));
    return text;
}

std::string hex(ByteSpan bytes) {
    std::string text;
    for (const auto byte : bytes) (text += "0123456789ABCDEF"[byte >> 4]) += "0123456789ABCDEF"[byte & 15];
    return text;
}

/// The first SPS and PPS of an avcC (ISO 14496-15 section 5.3.3.1), as `sprop-parameter-sets` has them.
std::string parameter_sets(ByteSpan avcc) {
    ByteReader reader(avcc);
    reader.take(5);
    std::string text;
    for (const auto* comma : {"", ","}) {
        if ((reader.u8() & 31) != 1) throw Error("the clip has not one SPS and one PPS");
        text += comma + base64(reader.take(reader.u16()));
    }
    return text;
}

}  // namespace

RtspClip RtspClip::make(const MediaClip& clip) {
    if (clip.video != TD_CODEC_H264 || clip.audio != TD_CODEC_AAC) throw Error("the clip is not of H.264 and AAC");
    const auto rate = std::to_string(clip.audio_rate);
    RtspClip made;
    made.tracks = {
        {"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=" +
             clip.profile_level_id + ";sprop-parameter-sets=" + parameter_sets(clip.video_config) + "\r\n",
         90'000, 0x11111111},
        {"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/" + rate + "/" + std::to_string(clip.channels) +
             "\r\na=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
             "indexdeltalength=3;config=" +
             hex(clip.audio_config) + "\r\n",
         clip.audio_rate, 0x22222222}};
    std::array<std::uint16_t, 2> sequences{};
    for (const auto& unit : clip.units) {
        const std::uint8_t track = unit.is_video ? 0 : 1;
        RtspFrame frame{unit.due_us, made.bytes.size(), 0, unit.timestamp, track};
        for (const auto& payload : unit.payloads) {
            rtp::Packet packet;
            packet.marker = payload.marker;
            packet.payload_type = static_cast<std::uint8_t>(first_payload_type + track);
            packet.sequence = sequences.at(track)++;
            packet.timestamp = unit.timestamp + payload.ticks;
            packet.ssrc = made.tracks[track].ssrc;
            std::array<std::uint8_t, rtp::header_size> header{};
            rtp::write_header(header, packet, {});
            made.bytes.push_back('$');
            made.bytes.push_back(static_cast<std::uint8_t>(2 * track));
            rtp::append_number(made.bytes, header.size() + payload.size(), 2);
            made.bytes.insert(made.bytes.end(), header.begin(), header.end());
            made.bytes.insert(made.bytes.end(), payload.prefix.begin(), payload.prefix.begin() + payload.prefix_size);
            made.bytes.insert(made.bytes.end(), payload.body.begin(), payload.body.end());
        }
        frame.size = made.bytes.size() - frame.at;
        made.frames.push_back(frame);
    }
    return made;
}

std::string RtspClip::sdp(const std::string& address) const {
    std::string text = "v=0\r\no=- 1 1 IN IP4 " + address + "\r\ns=clip\r\nc=IN IP4 " + address + "\r\nt=0 0\r\n";
    for (std::size_t i = 0; i < tracks.size(); ++i)
        text += tracks[i].lines + "a=control:track" + std::to_string(i) + "\r\n";
    return text;
}

}  // namespace tapedeck::load
