#include "store/naming.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {
namespace {

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t n = 0; n < count; ++n) all += text;
    return all;
}

TEST(Naming, AddsNumberCopyAndExtension) {
    struct Row {
        const char* stem;
        std::uint32_t segment;
        unsigned copy;
        const char* expected;
    };
    for (const auto& [stem, segment, copy, expected] : {Row{"cam", 0, 1, "cam.mp4"},
                                                        {"cam", 3, 1, "cam_3.mp4"},
                                                        {"cam", 0, 2, "cam-2.mp4"},
                                                        {"cam", 3, 12, "cam_3-12.mp4"},
                                                        {"a/b/cam", 1, 1, "a/b/cam_1.mp4"},
                                                        {"a//cam", 0, 1, "a/cam.mp4"},
                                                        {"", 0, 1, "unnamed.mp4"},
                                                        {"a/", 0, 1, "a/unnamed.mp4"},
                                                        {".hidden", 0, 1, "_hidden.mp4"},
                                                        {".a/.b", 0, 1, "_a/_b.mp4"},
                                                        {"cam.part", 0, 1, "cam_part.mp4"},
                                                        {"a..b", 0, 1, "a..b.mp4"},
                                                        {"two words", 0, 1, "two words.mp4"}}) {
        EXPECT_EQ(make_key({stem, segment, "mp4"}, copy), expected) << stem;
    }
    EXPECT_EQ(make_key({"cam", 0, ""}), "cam");
}

TEST(Naming, RefusesWhatLeavesTheFolder) {
    for (const std::string stem : {"/etc/cron", "../x", "a/../../x", "..", ".", "a/./b", "a\nb", "x\x7f"}) {
        EXPECT_THROW(make_key({stem, 0, "mp4"}), Error) << stem;
    }
    EXPECT_THROW(make_key({std::string("a\0b", 3), 0, "mp4"}), Error);
    EXPECT_THROW(make_key({times(2000, "ab/") + "c", 0, "mp4"}), Error);
}

TEST(Naming, CutsTheStemAndOnlyTheStemTo255BytesOnACharacter) {
    const std::string two = "\xc3\xa4", three = "\xe2\x82\xac", four = "\xf0\x9f\x98\x80";
    struct Row {
        std::string stem;
        std::uint32_t segment;
        std::string expected;
    };
    for (const auto& [stem, segment, expected] : {
             Row{times(300, "a"), 0, times(251, "a") + ".mp4"},
             Row{times(300, "a"), 12, times(248, "a") + "_12.mp4"},
             Row{times(251, "a"), 0, times(251, "a") + ".mp4"},
             Row{times(200, two), 0, times(125, two) + ".mp4"},     // 251 is odd: one byte stays free
             Row{times(200, three), 0, times(83, three) + ".mp4"},  // 249 of 251
             Row{times(100, four), 0, times(62, four) + ".mp4"},    // 248 of 251
             Row{times(300, "a") + "/b", 0, times(255, "a") + "/b.mp4"},
             Row{times(200, two) + "/b", 0, times(127, two) + "/b.mp4"},
         }) {
        EXPECT_EQ(make_key({stem, segment, "mp4"}), expected);
    }
    // Bytes that are no UTF-8 are cut where the limit is.
    EXPECT_EQ(make_key({times(300, "\x80"), 0, "mp4"}), times(251, "\x80") + ".mp4");
}

TEST(Naming, MakesPartNamesOfAnyClientInput) {
    struct Row {
        std::string session, expected;
    };
    for (const auto& [session, expected] : {Row{"5a07-4caf", "5a07-4caf-2.part.mp4"},
                                            {"../../etc", "_._.._etc-2.part.mp4"},
                                            {"$(touch x) \"y;", "__touch_x___y_-2.part.mp4"},
                                            {"", "unnamed-2.part.mp4"},
                                            {"\xc3\xa4", "__-2.part.mp4"},
                                            {times(300, "a"), times(100, "a") + "-2.part.mp4"}}) {
        EXPECT_EQ(part_name(session, 2, "mp4"), expected);
        EXPECT_TRUE(is_part_name(expected));
    }
    for (const char* other :
         {"cam.mp4", "cam_part.mp4", "x.part", ".x.part.mp4.rewrite", "x.part.mp4.quarantined", ".part.mp4"}) {
        EXPECT_FALSE(is_part_name(other)) << other;
    }
}

TEST(Recording, ComesBackFromItsJsonWhateverAClientSent) {
    Recording facts;
    facts.stream = std::string("a\0\"\\\n\xff\xfe", 7);
    facts.login = "\xf0\x9f\x98\x80";
    facts.media_session = "5a072377";
    facts.segment = 7;
    facts.flags = TD_RECORDING_MULTI;
    facts.row = 1'700'000'000'000'001;
    facts.start_us = -5;
    facts.bytes = 18'000'000'000'000'000'000u;
    facts.options = {{"record_rotation", "20M"}, {"naming.template.pattern", "{streamName}\xff"}};
    const std::string json = facts.to_json();
    for (const char c : json) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    const Recording back = Recording::from_json(json);
    EXPECT_EQ(back.stream, facts.stream);
    EXPECT_EQ(back.login, facts.login);
    EXPECT_EQ(back.segment, 7u);
    EXPECT_EQ(back.flags, facts.flags);
    EXPECT_EQ(back.row, facts.row);
    EXPECT_EQ(back.start_us, -5);
    EXPECT_EQ(back.end_us, TD_NO_TIME);
    EXPECT_EQ(back.bytes, facts.bytes);
    EXPECT_EQ(back.options, facts.options);
    EXPECT_EQ(back.to_json(), json);
    for (const char* bad : {"", "[]", "{", "{\"row\":\"x\"}", "{\"stream\":7}", "{\"stream\":{\"hex\":\"zz\"}}",
                            "{\"segment\":-1}", "{\"options\":[]}"}) {
        try {
            Recording::from_json(bad);
            ADD_FAILURE() << bad;
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_MALFORMED) << bad;
        }
    }
}

TEST(Recording, GivesAViewOfAllFacts) {
    Recording facts;
    facts.name = "cam.mp4";
    facts.memo = "{}";
    facts.duration_us = 5;
    const auto view = share(facts);
    EXPECT_EQ(view->size, sizeof(td_recording));
    EXPECT_EQ(std::string(view->name.data, view->name.size), "cam.mp4");
    EXPECT_EQ(std::string(view->memo.data, view->memo.size), "{}");
    EXPECT_EQ(view->duration_us, 5);
    EXPECT_EQ(view->start_us, TD_NO_TIME);
    EXPECT_EQ(view->options, nullptr);
}

}  // namespace
}  // namespace tapedeck::host
