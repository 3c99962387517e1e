#include "rtmp/request.hpp"

#include <gtest/gtest.h>

namespace tapedeck::rtmp {
namespace {

TEST(Request, ReadsQueries) {
    EXPECT_EQ(parse_query("token=a%2Fb&user=x+y&flag&&empty="),
              (Parameters{{"token", "a/b"}, {"user", "x+y"}, {"flag", ""}, {"empty", ""}}));
    EXPECT_EQ(parse_query("a=%zz&b=%4"), (Parameters{{"a", "%zz"}, {"b", "%4"}})) << "broken escapes stay";
    EXPECT_EQ(parse_query(""), Parameters{});
}

TEST(Request, TakesTheQueryOffANameAndOffTheApplication) {
    const auto named = split_query("cam/1?token=a?b");
    EXPECT_EQ(named.name, "cam/1");
    EXPECT_EQ(named.parameters, (Parameters{{"token", "a?b"}}));
    EXPECT_EQ(split_query("plain").name, "plain");

    const auto request = connect_request("live/?user=app", "rtmp://u%40x:p%3aw@host:1935/live?token=url", "FMLE/3.0");
    EXPECT_EQ(request.application, "live");
    EXPECT_EQ(request.agent, "FMLE/3.0");
    EXPECT_EQ(request.parameters,
              (Parameters{{"user", "u@x"}, {"password", "p:w"}, {"token", "url"}, {"user", "app"}}));
    EXPECT_EQ(connect_request("live", "rtmp://host", "").parameters, Parameters{});
}

TEST(Request, ReadsCredentialsUnderAllTheirNames) {
    for (const auto* user : {"user", "username", "login"})
        for (const auto* password : {"pass", "pwd", "password"}) {
            const auto found = credentials({{user, "me"}, {password, "secret"}, {"token", "t"}, {"x", "1"}});
            EXPECT_EQ(found.login, "me");
            EXPECT_EQ(found.attributes, (Parameters{{"password", "secret"}, {"token", "t"}, {"x", "1"}}));
        }
}

TEST(Request, PrefersTheStreamsCredentialsToTheApplications) {
    const auto found = credentials({{"user", "app"}, {"token", "1"}, {"user", "stream"}, {"token", "2"}});
    EXPECT_EQ(found.login, "stream");
    EXPECT_EQ(found.attributes, (Parameters{{"token", "2"}}));
}

TEST(Request, MakesUntrustedTextPrintable) {
    EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x82\xac"), "caf\xc3\xa9 \xe2\x82\xac");
    EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
    EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate is no character";
    EXPECT_EQ(printable(std::string(500, 'x')), std::string(200, 'x') + "...");
}

}  // namespace
}  // namespace tapedeck::rtmp
