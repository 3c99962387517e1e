#include "api/url.hpp"

#include <gtest/gtest.h>

namespace tapedeck::host::api {
namespace {

TEST(FileName, LeadsNowhereElse) {
    for (const auto* encoded :
         {"",     "..", ".",        "../a",       "a/..",       "a/../b",          "a/./b", "/etc/passwd",
          "a//b", "a/", "%2e%2e/a", "%2E%2E%2Fa", "a%2f..%2fb", "%2fetc%2fpasswd", "a%00b", "a%0d%0ab",
          "%",    "%2", "%zz",      "a%",         "a\\b",       "..%5ca",          "a%7f"}) {
        EXPECT_FALSE(file_name(encoded)) << encoded;
    }
    EXPECT_FALSE(file_name(std::string(5000, 'a')));
}

TEST(FileName, IsDecodedOnce) {
    for (const auto& [encoded, name] : {std::pair{"stream.mp4", "stream.mp4"},
                                        {"cam1/3.mp4", "cam1/3.mp4"},
                                        {"cam1%2F3.mp4", "cam1/3.mp4"},
                                        {"a%20b+c.mp4", "a b+c.mp4"},
                                        {"%252e%252e", "%2e%2e"},
                                        {"..a", "..a"},
                                        {"a..", "a.."},
                                        {"...", "..."},
                                        {"%D1%84.mp4", "\xd1\x84.mp4"},
                                        {"x%22y.mp4", "x\"y.mp4"}}) {
        EXPECT_EQ(file_name(encoded), name) << encoded;
    }
}

TEST(Query, GivesTheFirstMemberOfAName) {
    struct Row {
        const char *query, *name;
        std::optional<std::string> value;
    };
    for (const auto& [query, name, value] :
         {Row{"action=stat", "action", "stat"}, Row{"a=1&action=stat&action=x", "action", "stat"},
          Row{"action", "action", ""}, Row{"a=b+c%21", "a", "b c!"}, Row{"", "a", {}}, Row{"ab=1", "a", {}},
          Row{"a=%", "a", {}}, Row{"&&a=1", "a", "1"}, Row{"%61=1", "a", "1"}}) {
        EXPECT_EQ(query_member(query, name), value) << query;
    }
}

}  // namespace
}  // namespace tapedeck::host::api
