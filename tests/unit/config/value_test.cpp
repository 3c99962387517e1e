#include "config/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "tapedeck/key.hpp"

namespace tapedeck::host {
namespace {

const PathRules rules{"/srv/deck", false};
const PathRules hook_rules{"/srv/deck", true};

std::string refusal(const td_key& key, std::string_view text) {
    try {
        parse_value(key, text, rules);
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_MALFORMED);
        return error.what();
    }
    return "accepted";
}

TEST(Value, SizesAreBinaryInAnyCase) {
    constexpr Key key = Key::bytes("limit", "5");
    for (const auto& [text, bytes] : std::vector<std::pair<std::string, std::int64_t>>{{"1g", 1LL << 30},
                                                                                       {"1024m", 1LL << 30},
                                                                                       {"10M", 10 << 20},
                                                                                       {"64k", 65536},
                                                                                       {"64 KB", 65536},
                                                                                       {"1T", 1LL << 40},
                                                                                       {"1.5k", 1536},
                                                                                       {"131072", 131072},
                                                                                       {"7b", 7},
                                                                                       {"0", 0}})
        EXPECT_EQ(parse_value(key, text, rules).number, bytes) << text;
}

TEST(Value, ABareSizeCountsTheKeysUnit) {
    constexpr Key key = Key::bytes("reserve", "2048").per("KB");
    EXPECT_EQ(default_value(key, rules).number, 2 << 20);
    EXPECT_EQ(parse_value(key, "100", rules).number, 102400);
    EXPECT_EQ(parse_value(key, "1m", rules).number, 1 << 20);
}

TEST(Value, DurationsAreMicroseconds) {
    constexpr Key key = Key::duration("wait", "1s");
    for (const auto& [text, us] : std::vector<std::pair<std::string, std::int64_t>>{{"500ms", 500'000},
                                                                                    {"15s", 15'000'000},
                                                                                    {"60min", 3'600'000'000},
                                                                                    {"1h", 3'600'000'000},
                                                                                    {"2D", 172'800'000'000},
                                                                                    {"0.5 s", 500'000},
                                                                                    {"250us", 250},
                                                                                    {"20", 20'000'000},
                                                                                    {"0", 0}})
        EXPECT_EQ(parse_value(key, text, rules).number, us) << text;
}

TEST(Value, ABareDurationCountsTheKeysUnit) {
    for (const auto& [unit, us] : {std::pair{"ms", 60'000LL}, {"s", 60'000'000LL}, {"min", 3'600'000'000LL}})
        EXPECT_EQ(parse_value(Key::duration("interval", "1").per(unit), "60", rules).number, us) << unit;
}

TEST(Value, BooleansHaveFourSpellings) {
    constexpr Key key = Key::boolean("on", "false");
    for (const std::string text : {"true", "TRUE", "yes", "On", "1"})
        EXPECT_EQ(parse_value(key, text, rules).number, 1);
    for (const std::string text : {"false", "False", "no", "OFF", "0"})
        EXPECT_EQ(parse_value(key, text, rules).number, 0);
}

TEST(Value, IntegersFillAllTheirBits) {
    constexpr Key key = Key::integer("n", "1");
    for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-5}, INT64_MAX, INT64_MIN})
        EXPECT_EQ(parse_value(key, std::to_string(number), rules).number, number);
    EXPECT_EQ(parse_value(key, "+7", rules).number, 7);
}

TEST(Value, ABadValueIsNamedWithTheWayOut) {
    for (const auto& [key, text, message] : std::vector<std::tuple<td_key, std::string, std::string>>{
             {Key::integer("n", "1"), "12x", "'12x' is not a whole number"},
             {Key::integer("n", "1"), "9223372036854775808", "'9223372036854775808' is not a whole number"},
             {Key::integer("n", "1"), "-", "'-' is not a whole number"},
             {Key::integer("n", "1").within(0, 65535), "70000", "'70000' is out of range; it goes from 0 to 65535"},
             {Key::boolean("n", "1"), "maybe", "'maybe' is neither true nor false"},
             {Key::bytes("n", "1"), "lots", "'lots' is not a size; write 64k, 10M, 1g or a number"},
             {Key::bytes("n", "1"), "-1", "'-1' is not a size; write 64k, 10M, 1g or a number"},
             {Key::bytes("n", "1"), "1.k", "'1.k' is not a size; write 64k, 10M, 1g or a number"},
             {Key::bytes("n", "1"), "9999999999g", "'9999999999g' is not a size; write 64k, 10M, 1g or a number"},
             {Key::bytes("n", "1").within(1024, 1 << 20), "2m", "'2m' is out of range; it goes from 1k to 1m"},
             {Key::duration("n", "1"), "60m", "'60m' is not a duration; write 500ms, 15s, 60min, 1h or a number"},
             {Key::duration("n", "1"), "s", "'s' is not a duration; write 500ms, 15s, 60min, 1h or a number"},
             {Key::duration("n", "1").within(0, 90'000'000), "2min", "'2min' is out of range; it goes from 0 to 90s"},
             {Key::choice("n", "a", "a|b|c"), "d", "'d' is none of: a, b, c"},
             {Key::integer("n", "1").secret(), "hunter2", "the value is not a whole number"},
             {Key::integer("n", "1"), "a\nb", "'a?b' is not a whole number"}})
        EXPECT_EQ(refusal(key, text), message) << text;
}

TEST(Value, AChoiceIsGivenInTheDeclaredSpelling) {
    constexpr Key key = Key::choice("c", "keep", "keep|Split");
    EXPECT_EQ(parse_value(key, "SPLIT", rules).text, "Split");
    EXPECT_EQ(default_value(key, rules).text, "keep");
}

TEST(Value, PathsLieInTheHomeFolder) {
    constexpr Key key = Key::path("dir", "records");
    for (const auto& [text, path] :
         {std::pair{"records", "/srv/deck/records"},
          {"./records/", "/srv/deck/records"},
          {"/mnt/tapes", "/mnt/tapes"},
          {"/", "/"},
          {"../outside", "/srv/outside"},
          {"/usr/local/FlashphonerWebCallServer", "/srv/deck"},
          {"/usr/local/FlashphonerWebCallServer/records", "/srv/deck/records"},
          {"/usr/local/FlashphonerWebCallServer//records/", "/srv/deck/records"},
          {"/usr/local/FlashphonerWebCallServer2/records", "/usr/local/FlashphonerWebCallServer2/records"},
          {"/usr/local/Flash", "/usr/local/Flash"}})
        EXPECT_EQ(parse_value(key, text, rules).text, path) << text;
}

TEST(Value, AHookWithoutASlashLiesInBin) {
    constexpr Key key = Key::path("script", "bin/on_record_hook.sh");
    for (const auto& [text, path] :
         {std::pair{"on_record_hook.sh", "/srv/deck/bin/on_record_hook.sh"},
          {"hooks/mine.sh", "/srv/deck/hooks/mine.sh"},
          {"/opt/on_record.sh", "/opt/on_record.sh"},
          {"/usr/local/FlashphonerWebCallServer/bin/on_record_hook.sh", "/srv/deck/bin/on_record_hook.sh"}})
        EXPECT_EQ(parse_value(key, text, hook_rules).text, path) << text;
    EXPECT_EQ(parse_value(key, "", hook_rules).text, "") << "no script at all";
}

TEST(Value, AnEmptyValueIsTheDefaultWhereNothingIsNoValue) {
    for (const td_key& key : {td_key(Key::integer("n", "7")), td_key(Key::bytes("n", "7")), td_key(Key::path("n", "7")),
                              td_key(Key::choice("n", "7", "6|7")), td_key(Key::duration("n", "7").per("us"))}) {
        const Value value = parse_value(key, "", rules);
        EXPECT_FALSE(value.is_set);
        EXPECT_TRUE(value.number == 7 || value.text.ends_with("7"));
    }
    const Value text = parse_value(Key::text("n", "7"), "", rules);
    EXPECT_TRUE(text.is_set);
    EXPECT_EQ(text.text, "");
}

TEST(Value, ShowsNumbersInTheLargestWholeUnit) {
    EXPECT_EQ(shown(TD_SIZE, 3 << 20), "3m");
    EXPECT_EQ(shown(TD_SIZE, 1025), "1025");
    EXPECT_EQ(shown(TD_DURATION, 90'000'000), "90s");
    EXPECT_EQ(shown(TD_DURATION, 7'200'000'000), "2h");
    EXPECT_EQ(shown(TD_DURATION, 1'001), "1001us");
    EXPECT_EQ(shown(TD_DURATION, 0), "0");
    EXPECT_EQ(shown(TD_INTEGER, -3), "-3");
}

TEST(Value, InternedTextsAreOneForEver) {
    const std::string_view first = intern(std::string("once"));
    const std::string_view second = intern(std::string("once"));
    EXPECT_EQ(first.data(), second.data());
    EXPECT_EQ(first, "once");
}

}  // namespace
}  // namespace tapedeck::host
