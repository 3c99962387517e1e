// The REST samples of the specification, asked by a real client.
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <future>

#include "fixture.hpp"

namespace tapedeck::host::api::test {
namespace {

constexpr const char* session = "5a072377-73c1-4caf-abd3";

class RestTest : public ServerTest {
protected:
    void expect_error(const Reply& reply, int status, const std::string& exception, const std::string& path) const {
        EXPECT_EQ(reply.status, status);
        EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
        EXPECT_EQ(reply.header("content-type"), "application/json;charset=UTF-8");
        const auto body = boost::json::parse(reply.body).as_object();
        EXPECT_EQ(body.at("status").as_int64(), status);
        EXPECT_EQ(body.at("exception").as_string(), exception);
        EXPECT_EQ(body.at("path").as_string(), path);
        EXPECT_EQ(body.at("reason"), body.at("message"));
        EXPECT_FALSE(body.at("reason").as_string().empty());
        EXPECT_GT(body.at("timestamp").as_int64(), 1'600'000'000'000);
        EXPECT_EQ(body.size(), 7U);
    }
};

TEST_F(RestTest, StartupAnswersAsTheSampleDoes) {
    recorder_.sessions = {session};
    start();
    for (const auto* path : {"/rest-api/recorder/startup", "/rest-api/stream/startRecording"}) {
        const auto reply = ask("POST", path,
                               R"({ "mediaSessionId": "5a072377-73c1-4caf-abd3",
                                    "config": { "fileTemplate": "{streamName}-{startTime}-{endTime}", "rotation": "20M" } })",
                               {{"Content-Type", "application/json"}});
        EXPECT_EQ(reply.status_line, "HTTP/1.1 200 OK");
        EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
        EXPECT_EQ(reply.header("content-type"), "application/json");
        EXPECT_EQ(reply.header("content-length"), "0");
        EXPECT_EQ(reply.body, "");
    }
    ASSERT_EQ(recorder_.started.size(), 2U);
    EXPECT_EQ(recorder_.started[0].first, session);
    EXPECT_EQ(recorder_.started[0].second,
              (RecorderControl::Settings{{"fileTemplate", "{streamName}-{startTime}-{endTime}"}, {"rotation", "20M"}}));
    EXPECT_EQ(recorder_.started[1], recorder_.started[0]);
}

TEST_F(RestTest, UnknownSessionsAreNotFound) {
    start();
    for (const auto* path : {"/rest-api/recorder/startup", "/rest-api/recorder/terminate",
                             "/rest-api/stream/startRecording", "/rest-api/stream/stopRecording"}) {
        expect_error(ask("POST", path, R"({"mediaSessionId":"nobody"})"), 404, "NotFoundException", path);
    }
}

TEST_F(RestTest, BadBodiesAre400Or500AsSet) {
    start();
    constexpr const char* path = "/rest-api/recorder/startup";
    for (const auto* body : {"", "{", "[]", "{}", R"({"mediaSessionId":"a" "config":{}})"}) {
        rest_.bad_request_status = 400;
        expect_error(ask("POST", path, body), 400, "BadRequestException", path);
        rest_.bad_request_status = 500;
        expect_error(ask("POST", path, body), 500, "InternalErrorException", path);
    }
    EXPECT_TRUE(recorder_.started.empty());
}

TEST_F(RestTest, TerminateAnswersWhenTheRecordingIsClosed) {
    recorder_.sessions = {session};
    recorder_.hold_stops = true;
    start();
    auto first = std::async(std::launch::async, [&] {
        return ask("POST", "/rest-api/recorder/terminate", R"({"mediaSessionId":"5a072377-73c1-4caf-abd3"})");
    });
    auto second = std::async(std::launch::async, [&] {
        return ask("POST", "/rest-api/stream/stopRecording", R"({"mediaSessionId":"5a072377-73c1-4caf-abd3"})");
    });
    recorder_.await_stops(2);
    EXPECT_EQ(ask("GET", "/health").status, 200) << "others are served meanwhile";
    EXPECT_NE(first.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    recorder_.release_stops();
    for (auto* answer : {&first, &second}) {
        const auto reply = answer->get();
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.header("content-length"), "0");
    }
}

TEST_F(RestTest, FindAllListsTheRecordings) {
    recorder_.list = {{"9c3e-test-1563776083752-{endTime}.mp4", session},
                      {"stream-57882100-ac49-11e9-afdd-6752f5be57a9-jtdvnittjkrd8rsc3dnfbger2o.mp4", "57882100"}};
    start();
    for (const auto* method : {"GET", "POST"}) {
        const auto reply = ask(method, "/rest-api/recorder/find_all");
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.header("content-type"), "application/json;charset=UTF-8");
        EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
        EXPECT_EQ(boost::json::parse(reply.body), boost::json::parse(R"([
            { "fileName": "9c3e-test-1563776083752-{endTime}.mp4", "mediaSessionId": "5a072377-73c1-4caf-abd3" },
            { "fileName": "stream-57882100-ac49-11e9-afdd-6752f5be57a9-jtdvnittjkrd8rsc3dnfbger2o.mp4",
              "mediaSessionId": "57882100" } ])"));
    }
}

TEST_F(RestTest, EmptyListsAre404OrAnEmptyArrayAsSet) {
    start();
    for (const auto* path : {"/rest-api/recorder/find_all", "/rest-api/stream/find_all", "/rest-api/stream/find"}) {
        rest_.empty_list_status = 404;
        expect_error(ask("POST", path), 404, "NotFoundException", path);
        rest_.empty_list_status = 200;
        const auto reply = ask("POST", path);
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.body, "[]");
    }
}

TEST_F(RestTest, OtherMethodsAreRefusedWithThoseThatWork) {
    start();
    for (const auto& [method, path, allow] : {
             std::tuple{"GET", "/rest-api/recorder/startup", "POST"},
             {"PUT", "/rest-api/recorder/find_all", "GET, HEAD, POST"},
             {"DELETE", "/rest-api/stream/terminate", "POST"},
             {"POST", "/health", "GET, HEAD"},
         }) {
        const auto reply = ask(method, path);
        EXPECT_EQ(reply.status, 405) << path;
        EXPECT_EQ(reply.header("allow"), allow) << path;
    }
    expect_error(ask("GET", "/rest-api/recorder/startup"), 405, "MethodNotAllowedException",
                 "/rest-api/recorder/startup");
}

TEST_F(RestTest, UnknownCallsAreNotFoundInTheShapeOfErrors) {
    start();
    expect_error(ask("POST", "/rest-api/push/startup", "{}"), 404, "NotFoundException", "/rest-api/push/startup");
    expect_error(ask("GET", "/rest-api"), 404, "NotFoundException", "/rest-api");
    EXPECT_EQ(ask("GET", "/rest-apix").header("access-control-allow-origin"), "");
}

TEST_F(RestTest, PreflightsAreAnsweredToEverybody) {
    allowed_clients_ = "";
    start();
    const auto reply = ask("OPTIONS", "/rest-api/recorder/startup", {}, {{"Origin", "http://page"}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
    EXPECT_EQ(reply.header("access-control-allow-methods"), "GET, POST, OPTIONS");
    EXPECT_EQ(reply.header("access-control-allow-headers"), "Content-Type, Authorization");
    EXPECT_EQ(reply.header("content-length"), "0");
}

TEST_F(RestTest, StreamsAreFoundAsWcsShowsThem) {
    StreamObject stream;
    stream.node = "n@1";
    stream.session = "04cfeb85";
    stream.media_session = "c43a28b7";
    stream.name = "e6dcaedd";
    stream.provider = "WebRTC";
    stream.audio_codec = "PCMA";
    stream.video_codec = "VP8";
    stream.has_audio = stream.has_video = true;
    stream.create_date_ms = 1664260776957;
    stream.transport = "UDP";
    streams_.list = {stream};
    streams_.list.push_back(stream);
    streams_.list[1].media_session = "other";
    streams_.list[1].name = "second";
    start();
    const auto reply = ask("POST", "/rest-api/stream/find", R"({"name":"e6dcaedd","published":"true"})");
    EXPECT_EQ(boost::json::parse(reply.body), boost::json::parse(R"([
        { "nodeId": "n@1", "appKey": "defaultApp", "sessionId": "04cfeb85", "mediaSessionId": "c43a28b7",
          "name": "e6dcaedd", "published": true, "hasVideo": true, "hasAudio": true, "status": "PUBLISHING",
          "audioCodec": "PCMA", "videoCodec": "VP8", "record": false, "width": 0, "height": 0, "bitrate": 0,
          "minBitrate": 0, "maxBitrate": 0, "quality": 0, "history": false, "gop": 0, "fps": 0, "audioBitrate": 0,
          "codecImpl": "", "transport": "UDP", "cvoExtension": false, "createDate": 1664260776957,
          "mediaType": "publish", "audioState": { "muted": false }, "videoState": { "muted": false },
          "mediaProvider": "WebRTC" } ])"));
    EXPECT_EQ(boost::json::parse(ask("GET", "/rest-api/stream/find_all").body).as_array().size(), 2U);
    streams_.list[1].name = "\xff";
    EXPECT_EQ(boost::json::parse(ask("GET", "/rest-api/stream/find_all").body).at(1).at("name").as_string(), "?")
        << "names may be any bytes, JSON may not";
    EXPECT_EQ(boost::json::parse(ask("POST", "/rest-api/stream/find", R"({"display":["metrics"]})").body)
                  .at(0)
                  .as_object()
                  .contains("metrics"),
              true);
    expect_error(ask("POST", "/rest-api/stream/find", R"({"name":"third"})"), 404, "NotFoundException",
                 "/rest-api/stream/find");
}

TEST_F(RestTest, StreamsAreTerminatedByIdOrFilter) {
    for (const auto* id : {"a", "b", "c"}) {
        StreamObject stream;
        stream.media_session = id;
        stream.name = "test";
        streams_.list.push_back(stream);
    }
    start();
    constexpr const char* path = "/rest-api/stream/terminate";
    EXPECT_EQ(ask("POST", path, R"({"mediaSessionId":"b"})").header("content-length"), "0");
    EXPECT_EQ(ask("POST", path, R"({"mediaSessionIds":["c","x"]})").status, 200);
    EXPECT_EQ(streams_.ended, (std::vector<std::pair<std::string, std::string>>{{"b", "Stopped by rest /terminate"},
                                                                                {"c", "Stopped by rest /terminate"}}));
    streams_.ended.clear();
    EXPECT_EQ(ask("POST", path, R"({"name":"test","status":"PUBLISHING"})").status, 200);
    EXPECT_EQ(streams_.ended.size(), 3U);
    streams_.ended.clear();
    expect_error(ask("POST", path, R"({"mediaSessionId":"x"})"), 404, "NotFoundException", path);
    expect_error(ask("POST", path), 400, "BadRequestException", path);
    expect_error(ask("POST", path, "{}"), 400, "BadRequestException", path);
    EXPECT_TRUE(streams_.ended.empty());
}

TEST_F(RestTest, TwoClientsStartAndStopTheSameSessionAtOnce) {
    recorder_.sessions = {session};
    start();
    const auto hammer = [&] {
        auto connection = client();
        for (int i = 0; i < 200; ++i) {
            const auto body = fmt::format(R"({{"mediaSessionId":"{}"}})", session);
            if (connection.ask("POST", "/rest-api/recorder/startup", body).status != 200) return false;
            if (connection.ask("POST", "/rest-api/recorder/terminate", body).status != 200) return false;
        }
        return true;
    };
    auto other = std::async(std::launch::async, hammer);
    EXPECT_TRUE(hammer());
    EXPECT_TRUE(other.get());
    EXPECT_EQ(recorder_.started.size(), 400U);
}

TEST_F(RestTest, HealthIs503UntilEverythingListens) {
    start();
    health_.is_ready = false;
    EXPECT_EQ(ask("GET", "/health").status, 503);
    health_.is_ready = true;
    const auto reply = ask("GET", "/health");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(boost::json::parse(reply.body).at("version").as_string(), TAPEDECK_TEST_VERSION);
    EXPECT_EQ(boost::json::parse(reply.body).at_pointer("/ports/http").as_int64(), 8081);
}

TEST_F(RestTest, MetricsAndStatisticsAreText) {
    recorder_.list = {{"a.mp4", "a"}};
    start();
    const auto metrics = ask("GET", "/metrics");
    EXPECT_EQ(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(metrics.body.find("# TYPE tapedeck_http_connections gauge\n"), std::string::npos);
    const auto statistics = ask("GET", "/?action=stat").body;
    EXPECT_NE(statistics.find("\nrecorders=1\n"), std::string::npos) << statistics;
    EXPECT_NE(statistics.find("tapedeck_http_connections="), std::string::npos) << statistics;
    EXPECT_EQ(ask("GET", "/").status, 404);
}

}  // namespace
}  // namespace tapedeck::host::api::test
