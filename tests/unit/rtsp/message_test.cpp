#include "rtsp/message.hpp"

#include <gtest/gtest.h>

#include "rtsp/authentication.hpp"
#include "rtsp/transport_header.hpp"
#include "rtsp/url.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {
namespace {

Front front(std::string_view text) {
    return parse({static_cast<const std::uint8_t*>(static_cast<const void*>(text.data())), text.size()});
}

TEST(RtspMessage, IsReadAndWrittenAlike) {
    const std::string text = "RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 12;timeout=60\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    const auto read = front(text + "$");
    ASSERT_TRUE(read.message);
    EXPECT_EQ(read.used, text.size());
    EXPECT_EQ(read.message->status, 200);
    EXPECT_EQ(read.message->header("cseq"), "3");
    EXPECT_EQ(read.message->body, "v=0\r\n");
    Message request;
    request.method = "DESCRIBE";
    request.uri = "rtsp://host/cam";
    request.set("CSeq", "1");
    EXPECT_EQ(write(request), "DESCRIBE rtsp://host/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    EXPECT_EQ(front(write(request)).message->uri, "rtsp://host/cam");
}

TEST(RtspMessage, WaitsForWhatIsNotWhole) {
    const std::string text = "RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) EXPECT_EQ(front(text.substr(0, size)).used, 0u) << size;
    const std::string packet("$\1\0\3abc", 7);
    EXPECT_EQ(front(packet.substr(0, 6)).used, 0u);
    EXPECT_EQ(front(packet).used, 7u);
    EXPECT_EQ(front(packet).channel, 1);
    EXPECT_EQ(front(packet).packet.size(), 3u);
    EXPECT_EQ(front("\r\n\r\nOPTIONS").used, 4u) << "empty lines between messages";
}

TEST(RtspMessage, RefusesWhatIsNone) {
    EXPECT_THROW(front("\1\2"), Malformed);
    EXPECT_THROW(front("GET / HTTP/1.1\r\n\r\n"), Malformed);
    EXPECT_THROW(front("RTSP/1.0 x OK\r\n\r\n"), Malformed);
    EXPECT_THROW(front("RTSP/1.0 200 OK\r\nContent-Length: 300000\r\n\r\n"), Malformed);
    EXPECT_THROW(front("RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n"), Malformed);
    EXPECT_THROW(front("OPTIONS " + std::string(20'000, 'x')), Malformed);
    std::string many = "RTSP/1.0 200 OK\r\n";
    for (int i = 0; i < 65; ++i) many += "A: b\r\n";
    EXPECT_THROW(front(many + "\r\n"), Malformed);
}

TEST(RtspUrl, HasItsParts) {
    const auto url = Url::parse("rtsp://admin:p%40s:s@10.0.0.5:8554/live?ch=1");
    EXPECT_EQ(url.user, "admin");
    EXPECT_EQ(url.password, "p@s:s");
    EXPECT_EQ(url.port, 8554);
    EXPECT_EQ(url.text(), "rtsp://10.0.0.5:8554/live?ch=1");
    EXPECT_EQ(Url::parse("rtsp://a:p@ss@host/x").password, "p@ss") << "as cameras' own pages show it";
    EXPECT_EQ(Url::parse("rtsp://host:554").text(), "rtsp://host");
    EXPECT_EQ(Url::parse("RTSPS://[::1]/x").port, 322);
    EXPECT_EQ(Url::parse("rtsps://[::1]:5/x").text(), "rtsps://[::1]:5/x");
    for (const auto* bad :
         {"http://host/x", "rtsp://", "rtsp://host:0/", "rtsp://host:x/", "rtsp://[::1/", "rtsp://a b/"})
        EXPECT_THROW(Url::parse(bad), Error) << bad;
    for (const auto* told : {"rtsp://admin:secret@host:port/", "http://admin:secret@host/", "admin:secret@host",
                             "http://admin:secret", "rtsp://admin:secret", "rtsp://admin:secret/x@host/cam",
                             "rtsp://admin:554/secret@host/cam", "rtsp://admin/secret@host/cam"}) {
        try {
            Url::parse(told);
            ADD_FAILURE() << told;
        } catch (const Error& e) {
            EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos) << e.what();
        }
    }
    EXPECT_EQ(Url::parse("rtsp://host/cam?user=a@b").path, "/cam?user=a@b");
}

TEST(RtspUrl, ResolvesControls) {
    EXPECT_EQ(resolve("rtsp://h/cam", "trackID=1"), "rtsp://h/cam/trackID=1");
    EXPECT_EQ(resolve("rtsp://h/cam/", "trackID=1"), "rtsp://h/cam/trackID=1");
    EXPECT_EQ(resolve("rtsp://h/cam", "*"), "rtsp://h/cam");
    EXPECT_EQ(resolve("rtsp://h/cam?a=b", "track1"), "rtsp://h/cam?a=b/track1");
    EXPECT_EQ(resolve("rtsp://h/cam", "rtsp://other/x"), "rtsp://other/x");
}

TEST(RtspTransport, IsReadInAnyOfItsForms) {
    const auto tcp = TransportHeader::parse("RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=1A2B;mode=\"PLAY\"");
    ASSERT_TRUE(tcp);
    EXPECT_TRUE(tcp->is_tcp);
    EXPECT_EQ(tcp->interleaved, TransportHeader::Pair(2, 3));
    EXPECT_EQ(tcp->ssrc, 0x1a2bu);
    const auto udp = TransportHeader::parse(
        "RAW/RAW/UDP, RTP/AVP/UDP;unicast;client_port=5000;server_port=6000-6001;source=10.0.0.1");
    ASSERT_TRUE(udp);
    EXPECT_FALSE(udp->is_tcp);
    EXPECT_EQ(udp->client_port, TransportHeader::Pair(5000, 5001));
    EXPECT_EQ(udp->source, "10.0.0.1");
    EXPECT_EQ(udp->text(), "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001");
    EXPECT_FALSE(TransportHeader::parse("RAW/RAW/UDP"));
    EXPECT_FALSE(TransportHeader::parse(""));
    EXPECT_FALSE(TransportHeader::parse("RTP/AVP;client_port=70000")->client_port);
}

TEST(RtspLogin, AnswersTheExampleOfRfc2617) {
    // Section 3.5 without qop, whose client nonce would be random.
    Authenticator login("Mufasa", "Circle Of Life");
    EXPECT_EQ(login.header("GET", "/dir/index.html"), "");
    const auto challenge =
        Challenge::parse("Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"");
    ASSERT_TRUE(challenge);
    EXPECT_TRUE(login.challenged(*challenge));
    EXPECT_EQ(login.header("GET", "/dir/index.html"),
              "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
              "uri=\"/dir/index.html\", response=\"670fd8c2df070c60b045671b8b24ff02\"");
    EXPECT_FALSE(login.challenged(*challenge)) << "the same again would be refused again";
    auto stale = *challenge;
    stale.is_stale = true;
    EXPECT_TRUE(login.challenged(stale));
}

TEST(RtspLogin, TakesTheStrongestChallengeThatItKnows) {
    using Kind = Challenge::Kind;
    const auto best =
        strongest({"Basic realm=\"a\"", "Digest realm=\"a\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"",
                   "Digest realm=\"a\", nonce=\"m\"", "Digest realm=\"a\", nonce=\"m\", algorithm=SHA-512-256"});
    ASSERT_TRUE(best);
    EXPECT_EQ(best->kind, Kind::sha256);
    EXPECT_TRUE(best->has_qop);
    Authenticator login("u", "p");
    ASSERT_TRUE(login.challenged(*best));
    const auto header = login.header("DESCRIBE", "rtsp://h/cam");
    EXPECT_NE(header.find("algorithm=SHA-256, qop=auth, nc=00000001, cnonce="), std::string::npos) << header;
    EXPECT_FALSE(
        strongest({"Negotiate", "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"", "Digest realm=\"no nonce\""}));
    EXPECT_FALSE(Authenticator("", "").challenged(*best));
}

TEST(RtspLogin, OfBasicIsReadAndWritten) {
    Authenticator login("Aladdin", "open sesame");
    ASSERT_TRUE(login.challenged(*Challenge::parse("Basic realm=\"x\"")));
    EXPECT_EQ(login.header("OPTIONS", "*"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(basic_login("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
              std::pair(std::string("Aladdin"), std::string("open sesame")));
    EXPECT_FALSE(basic_login("Basic !"));
    EXPECT_FALSE(basic_login("Digest x"));
}

}  // namespace
}  // namespace tapedeck::rtsp
