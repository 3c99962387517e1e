#include "api/bodies.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapedeck::host::api {
namespace {

using Settings = RecorderControl::Settings;

/// What the parser says against the body, or empty when it takes it.
template <class Parse>
std::string complaint(Parse parse, std::string_view body) {
    try {
        parse(body);
        return {};
    } catch (const Error& failure) {
        EXPECT_EQ(failure.status(), TD_MALFORMED);
        return failure.what();
    }
}

TEST(StartBody, IsReadAsInTheSamples) {
    struct Row {
        const char *body, *session;
        Settings settings;
    };
    for (const auto& [body, session, settings] : {
             Row{R"({ "mediaSessionId": "5a072377-73c1-4caf-abd3",
                      "config": { "fileTemplate": "{streamName}-{startTime}-{endTime}", "rotation": "20M" } })",
                 "5a072377-73c1-4caf-abd3",
                 {{"fileTemplate", "{streamName}-{startTime}-{endTime}"}, {"rotation", "20M"}}},
             Row{R"({"mediaSessionId":"1234567890abcdefgh","config":{"fileTemplate":"test","rotation":"disabled"}})",
                 "1234567890abcdefgh",
                 {{"fileTemplate", "test"}, {"rotation", "disabled"}}},
             Row{R"({"mediaSessionId":"a"})", "a", {}},
             Row{R"({"mediaSessionId":"a","config":null})", "a", {}},
             Row{R"({"mediaSessionId":"a","config":{"rotation":20}})", "a", {{"rotation", "20"}}},
             Row{R"({"mediaSessionId":"a","config":{"rotation":20.5}})", "a", {{"rotation", "20.5"}}},
             Row{R"({"mediaSessionId":"a","config":{"rotation":null,"more":{},"list":[1],"flag":true}})",
                 "a",
                 {{"flag", "true"}}},
             Row{R"({"mediaSessionId":17,"unknown":[{}]})", "17", {}},
         }) {
        const auto request = parse_start(body);
        EXPECT_EQ(request.media_session, session) << body;
        EXPECT_EQ(request.settings, settings) << body;
    }
}

TEST(StartBody, IsRefusedWithTheMemberThatIsWrong) {
    for (const auto& [body, part] : {
             std::pair{"", "the body is empty"},
             {" \r\n", "the body is empty"},
             {"{", "not JSON"},
             {"{}", "'mediaSessionId' is missing"},
             {"[]", "not a JSON object"},
             {"null", "not a JSON object"},
             {R"({"mediaSessionId":""})", "'mediaSessionId' is missing"},
             {R"({"mediaSessionId":null})", "'mediaSessionId' is missing"},
             {R"({"mediaSessionId":["a"]})", "'mediaSessionId' is a text"},
             {R"({"mediaSessionId":"a" "config":{}})", "not JSON"},
             {R"({"mediaSessionId":"a","config":"x"})", "'config' is not a JSON object"},
             {R"({"mediaSessionId":"a","config":{"rotation":[1]}})", "'rotation' is a text"},
             {R"({"mediaSessionId":"a\u0000b"})", "contains a NUL"},
             {"{\"mediaSessionId\":\"\xff\"}", "not JSON"},
         }) {
        EXPECT_NE(complaint(parse_start, body).find(part), std::string::npos) << body << complaint(parse_start, body);
    }
    const auto deep = std::string(100'000, '[');
    EXPECT_NE(complaint(parse_start, deep).find("not JSON"), std::string::npos);
    const auto large = fmt::format(R"({{"mediaSessionId":"{}"}})", std::string(5000, 'a'));
    EXPECT_NE(complaint(parse_start, large).find("more than 4096 bytes"), std::string::npos);
}

StreamObject publishing() {
    StreamObject stream;
    stream.media_session = "m1";
    stream.name = "test";
    stream.session = "s1";
    stream.provider = "Flash";
    return stream;
}

TEST(Filter, FitsStreamsByAllThatIsGiven) {
    for (const auto& [body, fits] : {
             std::pair{"", true},
             {"{}", true},
             {R"({"name":"test"})", true},
             {R"({"name":"Test"})", false},
             {R"({"mediaSessionId":"m1"})", true},
             {R"({"mediaSessionId":"m2"})", false},
             {R"({"mediaSessionIds":["m2","m1"]})", true},
             {R"({"mediaSessionIds":[]})", true},
             {R"({"published":true})", true},
             {R"({"published":"true"})", true},
             {R"({"published":"FALSE"})", false},
             {R"({"status":"PUBLISHING"})", true},
             {R"({"status":"PLAYING"})", false},
             {R"({"name":"test","status":"PUBLISHING","sessionId":"s1"})", true},
             {R"({"name":"test","sessionId":"s2"})", false},
             {R"({"mediaType":"publish"})", true},
             {R"({"mediaType":"play"})", false},
             {R"({"mediaProvider":"Flash","appKey":"defaultApp"})", true},
             {R"({"mediaProvider":"RTSP"})", false},
             {R"({"record":"false"})", true},
             {R"({"name":null,"other":1})", true},
         }) {
        EXPECT_EQ(parse_filter(body).fits(publishing()), fits) << body;
    }
    EXPECT_TRUE(parse_filter(R"({"display":["metrics"]})").with_metrics);
    EXPECT_FALSE(parse_filter(R"({"display":["other"]})").with_metrics);
    EXPECT_NE(complaint(parse_filter, R"({"published":"maybe"})").find("'published' is 'maybe'"), std::string::npos);
}

TEST(Termination, NeedsToSayWhichStreams) {
    for (const auto* body : {"{}", "", R"({"mediaSessionIds":[]})", R"({"name":null})", R"({"display":["metrics"]})"}) {
        EXPECT_NE(complaint(parse_termination, body), "") << body;
    }
    EXPECT_EQ(complaint(parse_termination, R"({"published":true})"), "");
    EXPECT_EQ(parse_termination(R"({"mediaSessionIds":["a","b"]})").media_sessions,
              (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace tapedeck::host::api
