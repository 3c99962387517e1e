#include "rtsp/dialogue.hpp"

#include <gtest/gtest.h>

#include "rtsp/media.hpp"

namespace tapedeck::rtsp {
namespace {

using Event = Dialogue::Event;

const std::string description =
    "v=0\r\ns=cam\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
    "m=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 "
    "vnd.onvif.metadata/90000\r\n";

/// A camera that answers what the test says.
class Conversation : public ::testing::Test {
protected:
    Message asked() {
        const auto text = dialogue_.take_output();
        const auto front =
            parse({static_cast<const std::uint8_t*>(static_cast<const void*>(text.data())), text.size()});
        EXPECT_EQ(front.used, text.size()) << text;
        return front.message.value_or(Message());
    }
    Event answer(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                 const std::string& body = "") {
        const auto request = asked();
        Message response;
        response.status = status;
        response.reason = "said";
        response.headers = std::move(headers);
        response.set("CSeq", request.header("CSeq"));
        response.body = body;
        last_ = request;
        return dialogue_.answer(response);
    }
    Event describe() {
        dialogue_.begin();
        EXPECT_EQ(answer(200, {{"Public", "OPTIONS, GET_PARAMETER"}}), Event::none);
        return answer(200, {{"Content-Base", "rtsp://h/cam/"}}, description);
    }

    Dialogue dialogue_{Url::parse("rtsp://u:p@h/cam")};
    Message last_;  // the request that was answered
};

TEST_F(Conversation, LeadsFromOptionsToPlay) {
    EXPECT_EQ(describe(), Event::described);
    EXPECT_EQ(last_.method, "DESCRIBE");
    EXPECT_EQ(last_.uri, "rtsp://h/cam") << "without the login";
    dialogue_.setup("trackID=1", *TransportHeader::parse("RTP/AVP/TCP;interleaved=0-1"));
    EXPECT_EQ(answer(200, {{"Session", "77;timeout=30"}, {"Transport", "RTP/AVP/TCP;interleaved=4-5"}}),
              Event::is_set_up);
    EXPECT_EQ(last_.uri, "rtsp://h/cam/trackID=1");
    EXPECT_EQ(dialogue_.transport().interleaved, TransportHeader::Pair(4, 5));
    EXPECT_EQ(dialogue_.session_seconds(), 30u);
    dialogue_.play();
    EXPECT_EQ(answer(200, {{"RTP-Info", "url=rtsp://h/cam/trackID=1;rtptime=5,url=rtsp://h/cam/trackID=2;seq=1"}}),
              Event::playing);
    EXPECT_EQ(dialogue_.rtptime("trackID=1"), 5u);
    EXPECT_FALSE(dialogue_.rtptime("trackID=2"));
    EXPECT_FALSE(dialogue_.rtptime("trackID=3"));
    EXPECT_EQ(last_.header("Session"), "77");
    dialogue_.keep_alive();
    EXPECT_EQ(answer(501), Event::none) << "it said that it knows GET_PARAMETER, and does not";
    EXPECT_EQ(last_.method, "GET_PARAMETER");
    dialogue_.keep_alive();
    EXPECT_EQ(answer(200), Event::none);
    EXPECT_EQ(last_.method, "OPTIONS");
    dialogue_.keep_alive();
    EXPECT_EQ(answer(454), Event::failed) << "the session has gone";
}

TEST_F(Conversation, AnswersAChallengeOnce) {
    dialogue_.begin();
    EXPECT_EQ(answer(401, {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""}}), Event::none);
    EXPECT_EQ(answer(401, {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n2\""}}), Event::failed);
    EXPECT_NE(last_.header("Authorization").find("username=\"u\""), std::string::npos);
    EXPECT_EQ(dialogue_.why(), "wrong login or password");
}

TEST_F(Conversation, TakesAFreshNonceWhereTheLoginWasRightBefore) {
    dialogue_.begin();
    EXPECT_EQ(answer(401, {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""}}), Event::none);
    EXPECT_EQ(answer(200), Event::none);
    EXPECT_EQ(answer(401, {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n2\""}}), Event::none)
        << "it has expired, though the camera does not call it stale";
    EXPECT_EQ(answer(401, {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n3\""}}), Event::failed);
    EXPECT_EQ(last_.method, "DESCRIBE");
    EXPECT_NE(last_.header("Authorization").find("nonce=\"n2\""), std::string::npos);
}

TEST_F(Conversation, DoesNotAnswerStaleNoncesForEver) {
    dialogue_.begin();
    int sent = 0;
    auto event = Event::none;
    for (; event == Event::none && sent < 100; ++sent)
        event = answer(
            401, {{"WWW-Authenticate", "Digest realm=\"r\", stale=true, nonce=\"" + std::to_string(sent) + "\""}});
    EXPECT_EQ(event, Event::failed);
    EXPECT_EQ(sent, 3);
}

TEST_F(Conversation, PassesOverAnswersToOtherRequests) {
    EXPECT_EQ(describe(), Event::described);
    dialogue_.setup("trackID=1", *TransportHeader::parse("RTP/AVP/TCP"));
    const auto request = asked();
    for (const auto* sequence : {"1", "2", "4", "99999999999", "-3", "x"}) {
        Message early;
        early.status = 200;
        early.set("CSeq", sequence);
        early.set("Transport", "RTP/AVP/TCP;interleaved=0-1");
        EXPECT_EQ(dialogue_.answer(early), Event::none) << sequence;
    }
    Message right;
    right.status = 200;
    right.set("CSeq", request.header("CSeq"));
    EXPECT_EQ(dialogue_.answer(right), Event::failed) << "it names no transport";
    EXPECT_EQ(dialogue_.answer(right), Event::none) << "nothing is asked any more";
}

TEST_F(Conversation, RefusesDescriptionsBeyondReason) {
    std::string media = "v=0\r\n";
    for (int i = 0; i < 10'000; ++i) media += "m=video 0 RTP/AVP 96\r\n";
    dialogue_.begin();
    EXPECT_EQ(answer(200), Event::none);
    EXPECT_EQ(answer(200, {}, media), Event::failed);
    EXPECT_NE(dialogue_.why().find("its description cannot be read: "), std::string::npos) << dialogue_.why();
}

TEST_F(Conversation, FollowsAndRefuses) {
    dialogue_.begin();
    EXPECT_EQ(answer(302, {{"Location", "rtsp://other/cam"}}), Event::moved);
    EXPECT_EQ(dialogue_.target(), "rtsp://other/cam");
    dialogue_.begin();
    EXPECT_EQ(answer(500), Event::none) << "not everybody knows OPTIONS";
    EXPECT_EQ(answer(404), Event::failed);
    EXPECT_EQ(dialogue_.why(), "Rtsp stream not found: 404 said");
    EXPECT_EQ(describe(), Event::described);
    dialogue_.setup("trackID=1", *TransportHeader::parse("RTP/AVP/TCP"));
    EXPECT_EQ(answer(461), Event::refused);
    Message stray;
    stray.status = 200;
    stray.set("CSeq", "1");
    EXPECT_EQ(dialogue_.answer(stray), Event::none);
}

TEST_F(Conversation, AnswersTheServersOwnRequests) {
    Message request;
    request.method = "OPTIONS";
    request.set("CSeq", "9");
    dialogue_.request(request);
    EXPECT_EQ(asked().status, 200);
}

TEST(RtspMedia, AreTheFirstOfEachKindThatIsKnown) {
    std::vector<std::string> left_out;
    const auto media = media_of(sdp::parse(description), left_out);
    ASSERT_EQ(media.size(), 2u);
    EXPECT_EQ(media[0].setup.codec, TD_CODEC_H264);
    EXPECT_EQ(media[0].control, "trackID=1");
    EXPECT_EQ(media[1].setup.codec, TD_CODEC_PCMA);
    EXPECT_EQ(media[1].setup.track, 1u);
    ASSERT_EQ(left_out.size(), 1u);
    EXPECT_EQ(left_out[0], "application vnd.onvif.metadata: no picture or sound");
    left_out.clear();
    EXPECT_TRUE(media_of(sdp::parse("v=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/44100/2\r\n"
                                    "a=fmtp:97 mode=AAC-hbr\r\nm=video 0 RTP/AVP 26\r\n"),
                         left_out)
                    .empty());
    EXPECT_EQ(left_out.size(), 2u);
}

}  // namespace
}  // namespace tapedeck::rtsp
