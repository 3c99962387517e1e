#include "rtsp/cameras.hpp"

#include <gtest/gtest.h>

#include "rtsp/onvif.hpp"
#include "rtsp/rest.hpp"

namespace tapedeck::rtsp {
namespace {

std::string refusal(const std::string& text) {
    try {
        parse_cameras(text, "cameras.yaml");
    } catch (const Error& e) {
        return e.what();
    }
    return "none";
}

TEST(Cameras, AreReadFromTheFile) {
    const auto list = parse_cameras(
        "cameras:\n"
        "  - {uri: 'rtsp://10.0.0.5/stream1', name: gate, user: admin, password: 'p@ss', record: true, transport: "
        "udp}\n"
        "  - {onvif: 10.0.0.6, user: admin, password: s, profile: Main}\n",
        "cameras.yaml");
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].uri, "rtsp://10.0.0.5/stream1");
    EXPECT_EQ(list[0].stream, "gate");
    EXPECT_EQ(list[0].url->password, "p@ss");
    EXPECT_EQ(list[0].record, std::uint32_t(TD_RECORD_YES));
    EXPECT_EQ(list[0].transport, Transport::udp);
    EXPECT_EQ(list[1].stream, "onvif://10.0.0.6/Main");
    EXPECT_TRUE(list[1].find);
    EXPECT_TRUE(parse_cameras("# nothing\n", "f").empty());
    EXPECT_TRUE(parse_cameras("cameras:\n", "f").empty());
}

TEST(Cameras, ThatAreWrittenWronglyAreNamedWithTheirLine) {
    EXPECT_EQ(refusal("cameras:\n  - name: x\n"), "cameras.yaml:2: a camera has either 'uri' or 'onvif'");
    EXPECT_EQ(refusal("cameras:\n  - uri: http://x\n"),
              "cameras.yaml:2: uri: 'http://...' does not begin with rtsp:// or rtsps://");
    EXPECT_NE(refusal("cameras:\n  - uri: rtsp://x\n    colour: red\n")
                  .find("cameras.yaml:3: a camera has no member 'colour'"),
              std::string::npos);
    EXPECT_EQ(refusal("cameras:\n  - uri: rtsp://x\n  - uri: rtsp://a:b@x\n"),
              "cameras.yaml:3: 'rtsp://x' is in the list already");
    EXPECT_EQ(refusal("cameras:\n  - {uri: rtsp://x, name: n}\n  - {uri: rtsp://y, name: n}\n"),
              "cameras.yaml:3: 'n' is in the list already");
    EXPECT_NE(refusal("cameras: [").find("cameras.yaml:"), std::string::npos);
    EXPECT_NE(refusal("cams:\n").find("begins with `cameras:`"), std::string::npos);
    EXPECT_NE(refusal("cameras:\n  - {uri: 'rtsp://x', record: maybe}\n").find("maybe"), std::string::npos);
    EXPECT_NE(refusal("cameras:\n  - {uri: 'rtsp://x', transport: smoke}\n").find("smoke"), std::string::npos);
}

TEST(Startup, TakesFlashphonersBodies) {
    const auto request = parse_startup(R"({"uri":"rtsp://u:p@host/live/myStream","record":"true"})");
    EXPECT_EQ(request.uri, "rtsp://host/live/myStream");
    EXPECT_EQ(request.stream, request.uri) << "the stream carries the address";
    EXPECT_EQ(request.record, std::uint32_t(TD_RECORD_YES));
    EXPECT_EQ(parse_startup(R"({"uri":"rtsp://h/x","localStreamName":"a"})").record, std::uint32_t(TD_RECORD_BY_RULES));
    for (const auto* bad : {"{", "{}", R"({"uri":5})", R"({"uri":"rtsp://h/x","record":"maybe"})",
                            R"({"uri":"rtsp://h/x","transport":"smoke"})"})
        EXPECT_THROW(parse_startup(bad), Error) << bad;
}

TEST(Onvif, SignsAsTheProfileOfOasisSays) {
    // Names are escaped, and each part of the digest counts.
    const std::string nonce("\x2c\xa2\xe3\x3e\x2b\x2b\x8f\x46\xb9\x1a\x1f\xe6\x2a\x88\x5c\x1d", 16);
    const auto header = onvif::security_header("a&b", "userpassword", nonce, "2010-09-16T07:50:45Z");
    EXPECT_NE(header.find("<wsse:Username>a&amp;b</wsse:Username>"), std::string::npos);
    EXPECT_NE(header.find("<wsu:Created>2010-09-16T07:50:45Z</wsu:Created>"), std::string::npos);
    EXPECT_EQ(header, onvif::security_header("a&b", "userpassword", nonce, "2010-09-16T07:50:45Z"));
    EXPECT_NE(header, onvif::security_header("a&b", "other", nonce, "2010-09-16T07:50:45Z"));
}

TEST(Onvif, ReadsAnswersWithPrefixesOfAnyName) {
    EXPECT_EQ(onvif::parse_time(
                  "<E><B><a:UTCDateTime><a:Time><a:Hour>1</a:Hour><a:Minute>2</a:Minute><a:Second>3</a:Second></a:Time>"
                  "<a:Date><a:Year>1970</a:Year><a:Month>1</a:Month><a:Day>2</a:Day></a:Date></a:UTCDateTime></B></E>"),
              86'400 + 3'723);
    EXPECT_EQ(onvif::parse_media_address("<e><Media><XAddr> http://c/m </XAddr></Media></e>"), "http://c/m");
    const auto profiles = onvif::parse_profiles(
        "<e><x:GetProfilesResponse><x:Profiles token='t1'><y:Name>Main</y:Name></x:Profiles>"
        "<x:Profiles token='t2'/></x:GetProfilesResponse></e>");
    ASSERT_EQ(profiles.size(), 2u);
    EXPECT_EQ(profiles[0].name, "Main");
    EXPECT_EQ(profiles[1].token, "t2");
    EXPECT_EQ(onvif::parse_stream("<MediaUri><Uri>rtsp://c/1?a=b&amp;c=d</Uri></MediaUri>"), "rtsp://c/1?a=b&c=d");
    for (const auto* bad :
         {"", "<x/>", "not xml", "<Fault><Reason><Text>Sender not Authorized</Text></Reason></Fault>"}) {
        EXPECT_THROW(onvif::parse_stream(bad), Error) << bad;
        EXPECT_THROW(onvif::parse_profiles(bad), Error) << bad;
        EXPECT_THROW(onvif::parse_media_address(bad), Error) << bad;
        EXPECT_THROW(onvif::parse_time(bad), Error) << bad;
    }
    try {
        onvif::parse_profiles(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
            "</s:Code></s:Fault>");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.status(), TD_DENIED) << "such an attempt counts towards the lock of the login";
    }
    for (const auto* hour : {"-1", "25", "99999999999", ""})
        EXPECT_THROW(onvif::parse_time("<UTCDateTime><Hour>" + std::string(hour) +
                                       "</Hour><Minute>2</Minute><Second>3</Second><Year>2026</Year><Month>1</Month>"
                                       "<Day>2</Day></UTCDateTime>"),
                     Error)
            << hour;
    for (const auto* bad : {"", "ftp://host", "user@host", "a b", "http://admin:secret@host"})
        EXPECT_THROW(onvif::Device::parse(bad, "", "", ""), Error) << bad;
}

TEST(Onvif, SendsTheLoginToTheCamerasHostAlone) {
    const std::string device = "http://203.0.113.5:8080/onvif/device_service";
    EXPECT_EQ(onvif::at_device("http://203.0.113.5/onvif/media", device), "http://203.0.113.5/onvif/media");
    EXPECT_EQ(onvif::at_device("http://192.168.1.5/onvif/media?x", device), "http://203.0.113.5:8080/onvif/media?x")
        << "behind a NAT";
    EXPECT_EQ(onvif::at_device("http://203.0.113.5@evil/x", device), "http://203.0.113.5:8080/x");
    EXPECT_EQ(onvif::at_device("http://[2001:db8::2]:81/x", "http://[2001:db8::1]/y"), "http://[2001:db8::1]/x");
    try {
        onvif::Device::parse("http://admin:secret@host/", "", "", "");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos) << e.what();
    }
}

TEST(Onvif, IsLeftSoonWhereNobodyWaitsForIt) {
    const auto silent = listen_on(Address::parse("127.0.0.1", 0));
    const auto device = onvif::Device::parse(local_address(silent.get()).text(), "a", "b", "");
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW(device.stream([] { return false; }), Error);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3)) << "a question may take 5 s";
}

}  // namespace
}  // namespace tapedeck::rtsp
