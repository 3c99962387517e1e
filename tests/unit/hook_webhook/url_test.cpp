// Which addresses are taken, and what of them is shown.
#include "url.hpp"

#include <gtest/gtest.h>

#include "tapedeck/context.hpp"

namespace tapedeck::webhook {
namespace {

TEST(Url, TakesHttpAndHttps) {
    EXPECT_EQ(Url("https://example.com/hooks?token=abc").text(), "https://example.com/hooks?token=abc");
    EXPECT_EQ(Url("http://[::1]:8080/").text(), "http://[::1]:8080/");
    EXPECT_EQ(Url("HTTP://user:word@Example.com:81/a").text(), "http://user:word@Example.com:81/a");
}

TEST(Url, RefusesWhatIsNone) {
    for (const char* text : {"", " ", "example.com", "example.com:80/x", "/path", "http://", "https:///", "ftp://a/b",
                             "file:///etc/passwd", "http://a b/", "http://a:99999/", "http://a:port/", "http://a/b c",
                             "gopher://a/", "http://a\r\nX: y/"}) {
        EXPECT_THROW(Url{text}, Error) << text;
    }
    EXPECT_THROW(Url(std::string_view("http://a/\0b", 11)), Error);
}

TEST(Url, NeverTellsTheTextThatItRefuses) {
    try {
        const Url url("htp://example.com/?token=hidden");
        FAIL() << "taken";
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find("hidden"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("https://example.com/path"), std::string::npos) << error.what();
    }
}

TEST(Url, ShowsItsOriginAlone) {
    EXPECT_EQ(Url("https://user:word@example.com/secret?token=abc").origin(), "https://example.com:443");
    EXPECT_EQ(Url("http://[::1]:8080/secret").origin(), "http://[::1]:8080");
}

TEST(Url, TakesAFurtherPartOfItsPath) {
    const auto with_event = [](const char* text) {
        Url url(text);
        url.append("StreamEvent");
        return url.text();
    };
    EXPECT_EQ(with_event("http://a:8081/apps/EchoApp"), "http://a:8081/apps/EchoApp/StreamEvent");
    EXPECT_EQ(with_event("http://a/apps/"), "http://a/apps/StreamEvent");
    EXPECT_EQ(with_event("http://a"), "http://a/StreamEvent");
    EXPECT_EQ(with_event("http://a/b?key=1"), "http://a/b/StreamEvent?key=1");
}

}  // namespace
}  // namespace tapedeck::webhook
