#include "webrtc/media/sdp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "offers.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::webrtc::sdp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<int> payload_types(const Choice& choice) {
    std::vector<int> all;
    all.reserve(choice.codecs.size());
    for (const auto& chosen : choice.codecs) all.push_back(chosen.codec.payload_type);
    return all;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

Local local(bool publishes) {
    Local ours;
    ours.publishes = publishes;
    ours.id = 7;
    ours.ice = {"srv1", "0123456789abcdef01234567"};
    ours.fingerprint = Fingerprint::parse(fingerprint_text);
    ours.candidates = {Endpoint::parse("192.0.2.10", 40000), Endpoint::parse("2001:db8::1", 40000)};
    ours.stream = "td7";
    return ours;
}

/// The lines of one m-line, with LF.
std::string section(const std::string& answer, const std::string& kind) {
    const auto from = answer.find("m=" + kind);
    if (from == std::string::npos) return {};
    auto lines = replaced(answer.substr(from, answer.find("\r\nm=", from) - from), "\r\n", "\n");
    if (!lines.ends_with('\n')) lines += '\n';
    return lines;
}

TEST(SdpOffer, ABrowsersOfferIsRead) {
    const auto offer = parse(offer_of("sendonly"));
    ASSERT_EQ(offer.lines.size(), 2u);
    EXPECT_THAT(offer.bundle, ElementsAre("0", "1"));
    const auto& audio = offer.lines[0];
    EXPECT_EQ(audio.kind, "audio");
    EXPECT_EQ(audio.mid, "0");
    EXPECT_EQ(audio.direction, Direction::sendonly);
    EXPECT_TRUE(audio.has_rtcp_mux && audio.has_reduced_size);
    EXPECT_EQ(audio.ufrag, "cLnt");
    EXPECT_EQ(audio.setup, "actpass");
    ASSERT_EQ(audio.codecs.size(), 8u);
    EXPECT_EQ(audio.codecs[0].name, "opus");
    EXPECT_EQ(audio.codecs[0].channels, 2u);
    EXPECT_EQ(audio.codecs[0].parameter("UseInbandFec"), "1");
    EXPECT_EQ(audio.codecs[0].parameter("stereo"), std::nullopt);
    EXPECT_TRUE(offer.lines[1].codecs[0].has_feedback("nack pli"));
    EXPECT_FALSE(audio.codecs[0].has_feedback("nack"));
}

TEST(SdpOffer, WhatTheSessionLevelSaysHoldsForAll) {
    const auto offer = parse(
        "v=0\ns=-\na=ice-ufrag:all\na=fingerprint:sha-256 AA\na=setup:active\na=sendonly\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=rtcp-fb:* nack\nm=video 0 RTP/AVP\na=ice-ufrag:own\na=recvonly\n");
    EXPECT_EQ(offer.lines[0].ufrag, "all");
    EXPECT_EQ(offer.lines[0].setup, "active");
    EXPECT_EQ(offer.lines[0].direction, Direction::sendonly);
    EXPECT_EQ(offer.lines[0].codecs.at(0).name, "PCMU") << "static payload types need no rtpmap";
    EXPECT_TRUE(offer.lines[0].codecs[0].has_feedback("nack"));
    EXPECT_EQ(offer.lines[1].ufrag, "own");
    EXPECT_EQ(offer.lines[1].direction, Direction::recvonly);
    EXPECT_FALSE(offer.lines[1].is_offered);
}

TEST(SdpOffer, WhatIsNoSdpOrTooMuchIsRefused) {
    EXPECT_THROW(parse(""), Malformed);
    EXPECT_THROW(parse("hello"), Malformed);
    EXPECT_THROW(parse("m=audio 9 X 0\nv=0\n"), Malformed);
    EXPECT_THROW(parse("v=0\nm=audio x UDP 0\n"), Malformed);
    EXPECT_THROW(parse("v=0\nm=audio\n"), Malformed);
    EXPECT_THROW(parse("v=0\n" + std::string(128 * 1024, 'a')), Malformed);
    std::string lines = "v=0\n";
    for (int i = 0; i < 5000; ++i) lines += "a=x\n";
    EXPECT_THROW(parse(lines), Malformed);
    std::string media = "v=0\n";
    for (int i = 0; i < 33; ++i) media += "m=audio 9 X 0\n";
    EXPECT_THROW(parse(media), Malformed);
    EXPECT_EQ(parse("v=0\r\n\r\nm=audio 9 X 128 -1 5 5 \n").lines[0].codecs.size(), 0u);
}

TEST(SdpChoice, SoundIsChosenByPreferenceAndPictureByTheOffer) {
    const auto offer = parse(offer_of("sendonly"));
    const auto choices = choose(offer, {}, true);
    ASSERT_EQ(choices.size(), 2u);
    EXPECT_THAT(payload_types(choices[0]), ElementsAre(111));
    EXPECT_EQ(choices[0].codecs[0].id, TD_CODEC_OPUS);
    EXPECT_EQ(choices[0].codecs[0].red.value().payload_type, 63);
    EXPECT_THAT(payload_types(choices[1]), ElementsAre(96));
    EXPECT_EQ(choices[1].codecs[0].rtx.value().payload_type, 97);
    EXPECT_EQ(choices[1].transport_cc, 3);
    EXPECT_EQ(choices[1].send_time, 2);
    EXPECT_EQ(choices[1].mid, 4);

    const auto others = choose(offer, {{"G722", "opus"}, {"H264"}}, true);
    EXPECT_THAT(payload_types(others[0]), ElementsAre(9));
    EXPECT_THAT(payload_types(others[1]), ElementsAre(102)) << "mode 1 before mode 0";
}

TEST(SdpChoice, PicturesComeInRedWithFecWhereLostOnesCanBeToldAndRepeated) {
    const std::string red = "a=rtpmap:98 red/90000\r\n", ulpfec = "a=rtpmap:100 ulpfec/90000\r\n",
                      rtx = "a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n";
    const auto offered = [](const std::string& lines) {
        return parse(session_level() + audio_line("sendonly") +
                     replaced(video_line("sendonly"), " 45 46\r\n", " 45 46 98 99 100\r\n") + lines);
    };
    const auto offer = offered(red + rtx + ulpfec);
    const auto choices = choose(offer, {}, true);
    const auto& vp8 = choices[1].codecs.at(0);
    ASSERT_TRUE(vp8.red && vp8.red_rtx && vp8.ulpfec);
    EXPECT_THAT(section(write_answer(offer, choices, local(true)), "video"),
                AllOf(HasSubstr("SAVPF 96 97 98 99 100\n"), HasSubstr("a=rtpmap:98 red/90000\na=rtpmap:99 rtx/90000\n"),
                      HasSubstr("a=fmtp:99 apt=98\na=rtpmap:100 ulpfec/90000\n")));

    const auto has_fec = [](const std::vector<Choice>& made) {
        const auto& chosen = made[1].codecs.at(0);
        return chosen.red || chosen.red_rtx || chosen.ulpfec;
    };
    EXPECT_FALSE(has_fec(choose(offer, {{"opus"}, {"H264"}}, true))) << "whose pictures have no numbers";
    EXPECT_FALSE(has_fec(choose(offered(red + ulpfec), {}, true))) << "RED could not be repeated";
    EXPECT_FALSE(has_fec(choose(offered(red + rtx), {}, true))) << "RED alone is of no use";
    EXPECT_FALSE(has_fec(choose(parse(offer_of("recvonly")), {}, false)));
}

TEST(SdpChoice, CodecsThatThePageDeletedAreNotChosen) {
    // As the WebSDK leaves it after stripCodecs "VP8,AV1": rtx of VP8 first, a blank and bare LF behind the m-line.
    auto text =
        replaced(offer_of("sendonly"), "SAVPF 96 97 102 103 104 105 45 46\r\n", "SAVPF 97 102 103 104 105 46 \n");
    for (const auto* gone : {"a=rtpmap:96 VP8/90000\r\n", "a=rtpmap:45 AV1/90000\r\n"}) text = replaced(text, gone, "");
    const auto choices = choose(parse(text), {}, true);
    EXPECT_THAT(payload_types(choices[1]), ElementsAre(102));
    EXPECT_EQ(choices[1].codecs[0].rtx.value().payload_type, 103);

    const auto bare = replaced(text, "\r\n", "\n");
    EXPECT_THAT(payload_types(choose(parse(bare), {}, true)[1]), ElementsAre(102));
    const auto blank = replaced(text, "\r\n", "  \n");
    EXPECT_THAT(payload_types(choose(parse(blank), {}, true)[1]), ElementsAre(102));
}

TEST(SdpChoice, APlayerGetsAllThatCanBeSentToIt) {
    auto choices = choose(parse(offer_of("recvonly")), {}, false);
    EXPECT_THAT(payload_types(choices[0]), ElementsAre(111, 8, 0, 9));
    EXPECT_THAT(payload_types(choices[1]), ElementsAre(96, 102)) << "fragments need mode 1";
    EXPECT_EQ(choices[1].transport_cc, std::nullopt);
    narrow(choices[1], TD_CODEC_H264);
    EXPECT_THAT(payload_types(choices[1]), ElementsAre(102));
    narrow(choices[1], TD_CODEC_VP8);
    EXPECT_THAT(payload_types(choices[1]), ElementsAre(102)) << "what is not there changes nothing";
}

TEST(SdpChoice, WithoutACommonCodecThereIsNone) {
    const auto none = [](const std::string& text, bool publishes) {
        try {
            choose(parse(text), {}, publishes);
            return std::string();
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_UNSUPPORTED);
            return std::string(e.what());
        }
    };
    EXPECT_EQ(none("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=rtcp-mux\r\na=rtpmap:97 rtx/90000\r\n", true),
              "No common codecs");
    EXPECT_EQ(none(offer_of("recvonly"), true), "No common codecs");
    EXPECT_EQ(none(offer_of("sendonly"), false), "No common codecs");
    EXPECT_EQ(none(replaced(offer_of("sendonly"), "a=rtcp-mux\r\n", ""), true), "No common codecs");
    EXPECT_EQ(none(offer_of("sendonly"), true), "");
}

TEST(SdpChoice, WhatIsNotBundledWithTheFirstIsRejected) {
    const auto text = replaced(offer_of("sendonly"), "a=group:BUNDLE 0 1\r\n", "");
    const auto choices = choose(parse(text), {}, true);
    EXPECT_THAT(payload_types(choices[0]), ElementsAre(111));
    EXPECT_TRUE(choices[1].codecs.empty());
    EXPECT_THAT(write_answer(parse(text), choices, local(true)), Not(HasSubstr("BUNDLE")));
}

TEST(SdpAnswer, TcpIsTheSecondChoice) {
    const auto offer = parse(offer_of("sendonly"));
    auto ours = local(true);
    ours.has_tcp = true;
    EXPECT_THAT(section(write_answer(offer, choose(offer, {}, true), ours), "audio"),
                HasSubstr("a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host\n"
                          "a=candidate:3 1 tcp 2124414975 192.0.2.10 40000 typ host tcptype passive\n"
                          "a=candidate:4 1 tcp 2124414719 2001:db8::1 40000 typ host tcptype passive\n"
                          "a=end-of-candidates\n"));
}

TEST(SdpAnswer, APublisherIsAnswered) {
    const auto offer = parse(offer_of("sendonly"));
    const auto answer = write_answer(offer, choose(offer, {}, true), local(true));
    EXPECT_THAT(answer, ::testing::StartsWith("v=0\r\no=- 7 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
                                              "a=group:BUNDLE 0 1\r\na=msid-semantic: WMS *\r\nm=audio"));
    const std::string transport =
        "a=ice-ufrag:srv1\na=ice-pwd:0123456789abcdef01234567\na=fingerprint:" + fingerprint_text +
        "\na=setup:passive\na=candidate:1 1 udp 2130706431 192.0.2.10 40000 typ host\n"
        "a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host\na=end-of-candidates\n";
    const std::string extensions =
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n"
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n"
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n";
    EXPECT_EQ(section(answer, "audio"),
              "m=audio 40000 UDP/TLS/RTP/SAVPF 111 63\nc=IN IP4 192.0.2.10\na=mid:0\na=recvonly\na=rtcp-mux\n"
              "a=rtcp-rsize\na=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=1\n"
              "a=rtcp-fb:111 transport-cc\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n" +
                  extensions + transport);
    EXPECT_EQ(section(answer, "video"),
              "m=video 40000 UDP/TLS/RTP/SAVPF 96 97\nc=IN IP4 192.0.2.10\na=mid:1\na=recvonly\na=rtcp-mux\n"
              "a=rtcp-rsize\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 goog-remb\na=rtcp-fb:96 transport-cc\n"
              "a=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\na=rtpmap:97 rtx/90000\n"
              "a=fmtp:97 apt=96\n" +
                  extensions + transport);
}

TEST(SdpAnswer, APlayerIsAnsweredWithOneStream) {
    const auto offer = parse(offer_of("recvonly"));
    auto choices = choose(offer, {}, false);
    narrow(choices[0], TD_CODEC_OPUS);
    narrow(choices[1], TD_CODEC_H264);
    choices[0].ssrc = 1001;
    choices[1].ssrc = 2001;
    choices[1].rtx_ssrc = 2002;
    const auto answer = write_answer(offer, choices, local(false));
    EXPECT_THAT(section(answer, "audio"), HasSubstr("a=sendonly\n"));
    EXPECT_THAT(section(answer, "audio"), HasSubstr("a=msid:td7 td7-audio\na=ssrc:1001 cname:td7\n"));
    const auto video = section(answer, "video");
    EXPECT_THAT(video, HasSubstr("SAVPF 102 103\n"));
    EXPECT_THAT(video, HasSubstr("a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\n"
                                 "a=rtcp-fb:102 ccm fir\na=rtcp-fb:102 nack\na=rtcp-fb:102 nack pli\na=rtpmap:103"));
    EXPECT_THAT(video, HasSubstr("a=msid:td7 td7-video\na=ssrc-group:FID 2001 2002\n"
                                 "a=ssrc:2001 cname:td7\na=ssrc:2002 cname:td7\n"));
}

TEST(SdpAnswer, ARejectedLineKeepsItsPlaceOutsideTheBundle) {
    const auto data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n";
    const auto offer = parse(session_level("0 2 1") + replaced(audio_line("sendonly"), "opus/48000", "speex/48000") +
                             data + video_line("sendonly"));
    const auto answer = write_answer(offer, choose(offer, {{"opus"}, {"VP8"}}, true), local(true));
    EXPECT_THAT(answer, HasSubstr("a=group:BUNDLE 1\r\n"));
    EXPECT_EQ(section(answer, "audio"), "m=audio 0 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 192.0.2.10\na=mid:0\na=inactive\n");
    EXPECT_EQ(section(answer, "application"),
              "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 192.0.2.10\na=mid:2\na=inactive\n");
    EXPECT_LT(answer.find("m=application"), answer.find("m=video"));
    EXPECT_THAT(section(answer, "video"), HasSubstr("a=rtpmap:96 VP8/90000\n"));
}

TEST(SdpAnswer, DataChannelsOfAPublisherAreTakenBesideItsMedia) {
    const auto text = session_level("0 1 2") + audio_line("sendonly") + video_line("sendonly") + data_line();
    const auto offer = parse(text);
    const auto choices = choose(offer, {}, true);
    EXPECT_TRUE(choices[2].is_data);
    EXPECT_EQ(offer.lines[2].sctp_port, 5000);
    const auto answer = write_answer(offer, choices, local(true));
    EXPECT_THAT(answer, HasSubstr("a=group:BUNDLE 0 1 2\r\n"));
    const auto line = section(answer, "application");
    EXPECT_THAT(line, ::testing::StartsWith(
                          "m=application 40000 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 192.0.2.10\na=mid:2\n"
                          "a=sctp-port:5000\na=max-message-size:65536\na=ice-ufrag:"));
    EXPECT_THAT(line, HasSubstr("a=setup:passive\n"));
    EXPECT_THAT(line, Not(HasSubstr("recvonly")));

    const auto player = parse(session_level("0 1 2") + audio_line("recvonly") + video_line("recvonly") + data_line());
    EXPECT_FALSE(choose(player, {}, false)[2].is_data) << "a player's are not";
    const std::vector<std::pair<std::string, std::string>> changes{{"a=sctp-port:5000\r\n", ""},
                                                                   {"BUNDLE 0 1 2", "BUNDLE 0 1"},
                                                                   {"application 9", "application 0"},
                                                                   {"UDP/DTLS/SCTP", "UDP/SCTP"}};
    for (const auto& [from, to] : changes)
        EXPECT_FALSE(choose(parse(replaced(text, from, to)), {}, true)[2].is_data) << from;
}

TEST(SdpAnswer, ParameterSetsAreTakenOutOfTheOffer) {
    Codec codec;
    codec.fmtp = "packetization-mode=1; sprop-parameter-sets=Z0IAHg==,aM4xsg,!!,A";
    EXPECT_EQ(parameter_sets(codec), (std::vector<Bytes>{{0x67, 0x42, 0x00, 0x1e}, {0x68, 0xce, 0x31, 0xb2}}));
    codec.fmtp.clear();
    EXPECT_TRUE(parameter_sets(codec).empty());
}

}  // namespace
}  // namespace tapedeck::webrtc::sdp
