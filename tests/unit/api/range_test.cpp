#include "api/range.hpp"

#include <gtest/gtest.h>

namespace tapedeck::host::api {
namespace {

using Kind = RangeRequest::Kind;

TEST(Range, AsksForAPartOfAFile) {
    struct Row {
        const char* header;
        std::uint64_t size;
        Kind kind;
        std::uint64_t first, last;
    };
    for (const auto& [header, size, kind, first, last] : {
             Row{"", 100, Kind::Whole, 0, 0},
             Row{"bytes=0-9", 100, Kind::Part, 0, 9},
             Row{"bytes=0-0", 100, Kind::Part, 0, 0},
             Row{"bytes=90-", 100, Kind::Part, 90, 99},
             Row{"bytes=90-1000", 100, Kind::Part, 90, 99},
             Row{"bytes=-10", 100, Kind::Part, 90, 99},
             Row{"bytes=-1000", 100, Kind::Part, 0, 99},
             Row{"bytes= 5 - 9 ", 100, Kind::Part, 5, 9},
             Row{"bytes=0-99999999999999999999999", 100, Kind::Part, 0, 99},
             Row{"bytes=100-", 100, Kind::Unsatisfiable, 0, 0},
             Row{"bytes=99999999999999999999999-", 100, Kind::Unsatisfiable, 0, 0},
             Row{"bytes=-0", 100, Kind::Unsatisfiable, 0, 0},
             Row{"bytes=0-", 0, Kind::Unsatisfiable, 0, 0},
             Row{"bytes=-1", 0, Kind::Unsatisfiable, 0, 0},
             Row{"bytes=9-0", 100, Kind::Whole, 0, 0},
             Row{"bytes=-", 100, Kind::Whole, 0, 0},
             Row{"bytes=a-b", 100, Kind::Whole, 0, 0},
             Row{"bytes=1", 100, Kind::Whole, 0, 0},
             Row{"bytes=0-1,5-6", 100, Kind::Whole, 0, 0},
             Row{"items=0-1", 100, Kind::Whole, 0, 0},
             Row{"bytes=--1", 100, Kind::Whole, 0, 0},
         }) {
        const auto asked = parse_range(header, size);
        EXPECT_EQ(asked.kind, kind) << header;
        EXPECT_EQ(asked.part.first, first) << header;
        EXPECT_EQ(asked.part.last, last) << header;
    }
}

TEST(Range, KnowsTheDateOfHttp) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    for (const auto* other : {"", "1994-11-06", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT x"}) {
        EXPECT_FALSE(parse_http_date(other)) << other;
    }
}

TEST(Range, KnowsWhetherTheClientHasTheFile) {
    const Version version{"\"5-a\"", 784111777};
    struct Row {
        const char *none_match, *since;
        bool unchanged;
    };
    for (const auto& [none_match, since, unchanged] : {
             Row{"", "", false},
             Row{"\"5-a\"", "", true},
             Row{"W/\"5-a\"", "", true},
             Row{"\"x\", \"5-a\"", "", true},
             Row{"*", "", true},
             Row{"\"x\"", "Sun, 06 Nov 1994 08:49:37 GMT", false},
             Row{"", "Sun, 06 Nov 1994 08:49:37 GMT", true},
             Row{"", "Sun, 06 Nov 1994 08:49:36 GMT", false},
             Row{"", "yesterday", false},
         }) {
        EXPECT_EQ(is_unchanged(none_match, since, version), unchanged) << none_match << " " << since;
    }
}

TEST(Precondition, RefusesAnotherVersion) {
    const Version version{"\"5-a\"", 784111777};
    for (const auto& [match, since, unwanted] : {std::tuple{"", "", false},
                                                 {"*", "", false},
                                                 {"\"x\", \"5-a\"", "", false},
                                                 {"\"x\"", "", true},
                                                 {"W/\"5-a\"", "", true},
                                                 {"", "Sun, 06 Nov 1994 08:49:37 GMT", false},
                                                 {"", "Sun, 06 Nov 1994 08:49:36 GMT", true},
                                                 {"\"5-a\"", "Sun, 06 Nov 1994 08:49:36 GMT", false}}) {
        EXPECT_EQ(is_unwanted(match, since, version), unwanted) << match << " " << since;
    }
}

TEST(Range, IsAllowedOnlyOfTheSameFile) {
    const Version version{"\"5-a\"", 784111777};
    for (const auto& [if_range, allowed] : {std::pair{"", true},
                                            {"\"5-a\"", true},
                                            {"\"5-b\"", false},
                                            {"W/\"5-a\"", false},
                                            {"Sun, 06 Nov 1994 08:49:37 GMT", true},
                                            {"Sun, 06 Nov 1994 08:49:38 GMT", false},
                                            {"x", false}}) {
        EXPECT_EQ(allows_part(if_range, version), allowed) << if_range;
    }
}

}  // namespace
}  // namespace tapedeck::host::api
