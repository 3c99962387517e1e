// The WebSDK's messages: what is read of them, what is forgiven, what is refused.
#include "webrtc/signalling/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace tapedeck::webrtc::websdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

template <class Message>
Message parsed(std::string_view frame) {
    return std::get<Message>(parse(frame));
}

TEST(WebsdkMessage, ReadsAPublishRequest) {
    const auto request = parsed<StreamRequest>(
        R"({"message":"publishStream","data":[{"mediaSessionId":"a-1","name":"cam/1","published":true,"hasVideo":true,)"
        R"("hasAudio":false,"status":"PENDING","record":true,"sdp":"v=0\r\n","bitrate":0,"localMediaInfo":{"a":[1]},)"
        R"("custom":{"name":"room","level":3,"deep":{}}}]})");
    EXPECT_TRUE(request.publishes);
    EXPECT_EQ(request.media_session, "a-1");
    EXPECT_EQ(request.name, "cam/1");
    EXPECT_EQ(request.offer, "v=0\r\n");
    EXPECT_TRUE(request.has_video);
    EXPECT_FALSE(request.has_audio);
    EXPECT_TRUE(request.record);
    EXPECT_TRUE(request.is_whole());
    EXPECT_THAT(request.attributes, ElementsAre(Pair("name", "room"), Pair("level", "3")));
}

TEST(WebsdkMessage, MissingAndStrangeMembersAreEmpty) {
    const auto request = parsed<StreamRequest>(
        R"({"message":"playStream","data":[{"mediaSessionId":17,"name":null,"sdp":["v=0"],"record":"true",)"
        R"("hasVideo":"TRUE","hasAudio":1,"custom":"none"}]})");
    EXPECT_FALSE(request.publishes);
    EXPECT_EQ(request.media_session, "17");
    EXPECT_EQ(request.name, "");
    EXPECT_EQ(request.offer, "");
    EXPECT_TRUE(request.has_video);
    EXPECT_FALSE(request.has_audio);
    EXPECT_FALSE(request.record) << "players record nothing";
    EXPECT_FALSE(request.is_whole());
    for (const auto* data : {"", R"(,"data":null)", R"(,"data":[])", R"(,"data":[null])", R"(,"data":{"a":1})"}) {
        EXPECT_EQ(parsed<StreamStop>(R"({"message":"stopStream")" + std::string(data) + "}").media_session, "");
    }
}

TEST(WebsdkMessage, TellsThemApartByName) {
    EXPECT_TRUE(std::holds_alternative<Ping>(parse(R"({"message":"ping","data":[null]})")));
    EXPECT_TRUE(std::holds_alternative<Other>(parse(R"({"message":"pong","data":[null]})")));
    EXPECT_TRUE(std::holds_alternative<Other>(parse(R"({"message":"pushLogs","data":[{}]})")));
    EXPECT_EQ(parsed<StreamStop>(R"({"message":"unPublishStream","data":[{"mediaSessionId":"x"}]})").media_session,
              "x");
    EXPECT_EQ(parsed<AvailabilityRequest>(R"({"message":"availableStream","data":[{"name":"cam"}]})").name, "cam");
    EXPECT_EQ(parsed<DataRequest>(R"({"message":"sendData","data":[{"operationId":"o"}]})").operation, "o");
    const auto event =
        parsed<StreamEvent>(R"({"message":"sendStreamEvent","data":[{"type":"data","payload":{"a":[1,2]}}]})");
    EXPECT_EQ(event.payload, R"({"a":[1,2]})");
    EXPECT_TRUE(event.is_for_players());
    EXPECT_FALSE((StreamEvent{"m", "notEnoughBandwidth", ""}).is_for_players());
}

TEST(WebsdkMessage, RefusesWhatIsNoEnvelope) {
    for (const std::string frame :
         {"", "{", "[]", "7", R"("ping")", "{}", R"({"message":{}})", "{\"message\":\"\xff\"}"}) {
        EXPECT_THROW(parse(frame), Malformed) << frame;
    }
    EXPECT_THROW(parse(std::string(100, '[')), Malformed);
    EXPECT_THROW(parse(R"({"message":"ping","data":[")" + std::string(most_message, 'x') + R"("]})"), Malformed);
}

TEST(WebsdkMessage, TextsThatAreTooLongCountAsMissing) {
    const auto request = [](std::size_t id, std::size_t name, std::size_t sdp) {
        return parsed<StreamRequest>(R"({"message":"publishStream","data":[{"mediaSessionId":")" +
                                     std::string(id, 'i') + R"(","name":")" + std::string(name, 'n') + R"(","sdp":")" +
                                     std::string(sdp, 's') + R"("}]})");
    };
    EXPECT_EQ(request(most_id, most_text, most_offer).media_session.size(), most_id);
    EXPECT_TRUE(request(most_id, most_text, most_offer).is_whole());
    EXPECT_EQ(request(most_id + 1, 1, 1).media_session, "");
    EXPECT_FALSE(request(1, most_text + 1, 1).is_whole());
    EXPECT_FALSE(request(1, 1, most_offer + 1).is_whole());

    std::string custom;
    for (int i = 0; i < 50; ++i) custom += (i == 0 ? "" : ",") + ("\"k" + std::to_string(i)) + "\":1";
    const auto connect = parsed<Connect>(R"({"message":"connection","data":[{"custom":{)" + custom + "}}]}");
    EXPECT_EQ(connect.attributes.size(), most_attributes);
}

TEST(WebsdkMessage, TakesLoginAndCredentialsOfAConnection) {
    const auto connect = parsed<Connect>(
        R"({"message":"connection","data":[{"appKey":"app","mediaProviders":["WebRTC"],"clientVersion":"2.0",)"
        R"("custom":{"login":"ann","password":"p","token":"t","arrival":"wallclock","room":"r"}}]})");
    EXPECT_EQ(connect.application, "app");
    EXPECT_EQ(connect.login, "ann");
    EXPECT_EQ(connect.client_version, "2.0");
    EXPECT_EQ(connect.media_providers, R"(["WebRTC"])");
    EXPECT_THAT(connect.attributes,
                ElementsAre(Pair("login", "ann"), Pair("password", "p"), Pair("token", "t"), Pair("room", "r")))
        << "`arrival` is a word of protocols to the host";
    EXPECT_THAT(connect.custom, HasSubstr("room"));
    EXPECT_THAT(connect.custom, Not(HasSubstr("password"))) << "REST shows it";
    EXPECT_THAT(connect.custom, Not(HasSubstr("token")));

    const auto flat =
        parsed<Connect>(R"({"message":"connection","data":[{"sipLogin":"bob","sipPassword":"q","authToken":"a"}]})");
    EXPECT_EQ(flat.application, "defaultApp");
    EXPECT_EQ(flat.login, "bob");
    EXPECT_THAT(flat.attributes, ElementsAre(Pair("token", "a"), Pair("password", "q")));
}

TEST(WebsdkMessage, UserDataEchoesTheConnectionButAsksForNoMetrics) {
    const auto connect = parsed<Connect>(
        R"({"message":"connection","data":[{"appKey":"app","keepAlive":true,"webRTCMetricsServerDescription":{}}]})");
    const auto sent = boost::json::parse(user_data(connect, "s-1", "token"));
    EXPECT_EQ(sent, boost::json::parse(R"({"message":"getUserData","data":[{"appKey":"app","keepAlive":true,)"
                                       R"("sessionId":"s-1","authToken":"token","status":"ESTABLISHED"}]})"));
}

TEST(WebsdkMessage, WritesWhatTheClientReads) {
    const auto is = [](const std::string& written, std::string_view expected) {
        EXPECT_EQ(boost::json::serialize(boost::json::parse(written)),
                  boost::json::serialize(boost::json::parse({expected.data(), expected.size()})));
    };
    is(ping(), R"({"message":"ping","data":[null]})");
    is(pong(), R"({"message":"pong","data":[null]})");
    is(remote_sdp("m", "v=0\r\n"), R"({"message":"setRemoteSDP","data":["m","v=0\r\n"]})");
    is(connection_failed("no"),
       R"({"message":"fail","data":[{"apiMethod":"ConnectionStatusEvent","status":"FAILED","info":"no"}]})");
    is(status({"m", "cam", "UNPUBLISHED", true, true, false, true, "Stopped by user", "a.webm"}),
       R"({"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m","name":"cam","published":true,)"
       R"("hasVideo":true,"hasAudio":false,"status":"UNPUBLISHED","record":true,"mediaProvider":"WebRTC",)"
       R"("info":"Stopped by user","recordName":"a.webm"}]})");
    is(status({"m", "cam", "PLAYING"}),
       R"({"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m","name":"cam","published":false,)"
       R"("hasVideo":false,"hasAudio":false,"status":"PLAYING","record":false,"mediaProvider":"WebRTC"}]})");
    is(availability("m", true, ""), R"({"message":"availableStream","data":[{"id":"m","status":"true"}]})");
    is(availability("m", false, "Stream not found"),
       R"({"message":"availableStream","data":[{"id":"m","status":"false","info":"Stream not found"}]})");
    is(stream_event("p", {"m", "data", R"([1])"}),
       R"({"message":"notifyStreamEvent","data":[{"mediaSessionId":"p","type":"data","payload":[1]}]})");
    is(data_status("o", true, ""), R"({"message":"DataStatusEvent","data":[{"operationId":"o","status":"ACCEPTED"}]})");
    is(data_status("o", false, "no"),
       R"({"message":"DataStatusEvent","data":[{"operationId":"o","status":"FAILED","info":"no"}]})");
}

TEST(WebsdkMessage, AFilterFitsInAllThatIsGiven) {
    const ConnectionFacts facts{"s", "app", "ann", "2.0", "{}", "[]", 1};
    for (const auto* body : {"", " \n", "{}", R"({"sessionId":"s","status":null})",
                             R"({"clientVersion":"2.0","status":"established","unknown":{}})"}) {
        EXPECT_TRUE(parse_filter(body).fits(facts)) << body;
    }
    EXPECT_FALSE(parse_filter(R"({"sessionId":"s","appKey":"other"})").fits(facts));
    EXPECT_FALSE(parse_filter(R"({"status":"PENDING"})").fits(facts));
    for (const auto* body : {"[]", "{", "7", R"({"sessionId":[]})"})
        EXPECT_THROW(parse_filter(body), Malformed) << body;
}

TEST(WebsdkMessage, TextForTheLogIsEscapedAndCut) {
    EXPECT_EQ(for_log("a\n\"b"), R"("a\n\"b")");
    EXPECT_EQ(for_log(std::string(300, 'x')), '"' + std::string(200, 'x') + "\"...");
}

}  // namespace
}  // namespace tapedeck::webrtc::websdk
