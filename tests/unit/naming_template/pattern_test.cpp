// Every rule of name templates (R16 to R24, R26, R31 to R33, R110), in rows.
#include "pattern.hpp"

#include <gtest/gtest.h>

#include "facts.hpp"

namespace tapedeck::naming {
namespace {

std::string named(std::string_view pattern, const Facts& facts = {}, const Rules& rules = {}) {
    return Pattern(pattern).name(facts.recording(), rules);
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    while (times-- > 0) result += text;
    return result;
}

TEST(Pattern, FillsInEveryElement) {
    for (const auto& [pattern, expected] : {
             std::pair{"stream-{mediaSessionId}-{login}", "stream-c43a28b7-9a4d-45f8-a010-57b959a22755-bob"},
             {"{streamName}", "cam1"},
             {"{duration}", "20026"},
             {"{startTime}", "40"},
             {"{endTime}", "20066"},
             {"{startTimeMillis}", "1553577643961"},
             {"{endTimeMillis}", "1553577663988"},
             {"{sessionId}", "LzE5Mi4wLjIuMTo1MDAwMC8xOTIuMC4yLjk6MTkzNQ"},
             {"{mediaSessionId}", "c43a28b7-9a4d-45f8-a010-57b959a22755"},
             {"{login}", "bob"},
             {"{audioCodec}", "AAC"},
             {"{videoCodec}", "H264"},
             {"{streamName}-{startTime}-{endTime}-{duration}", "cam1-40-20066-20026"},
             {"{streamName}-{startTimeMillis}-{endTimeMillis}", "cam1-1553577643961-1553577663988"},
             {"test", "test"},
         })
        EXPECT_EQ(named(pattern), expected) << pattern;
}

TEST(Pattern, CutsEachValueToItsOwnLimit) {
    const std::string eye = "\xC3\xA9";
    Facts facts;
    facts.session = repeat("s", 100);
    facts.media_session = repeat("m", 100);
    facts.login = repeat(eye, 100);
    facts.audio_codec = "SPEEX";
    facts.video_codec = "THEORA";
    facts.stream = repeat("n", 400);
    EXPECT_EQ(named("{sessionId}", facts), repeat("c3Nz", 15));
    EXPECT_EQ(named("{mediaSessionId}", facts), repeat("m", 36));
    EXPECT_EQ(named("{login}", facts), repeat(eye, 32));
    EXPECT_EQ(named("{audioCodec}", facts), "SPEE");
    EXPECT_EQ(named("{videoCodec}", facts), "THEO");
    EXPECT_EQ(named("{streamName}", facts), facts.stream) << "the host shortens the name, there is no limit of its own";
    facts.media_start_us = INT64_MIN + 1;
    EXPECT_EQ(named("{startTime}", facts), "-9223372036854776") << "20 characters hold every time";
}

TEST(Pattern, WritesCodecsInCapitals) {
    Facts facts;
    facts.audio_codec = "Opus";
    EXPECT_EQ(named("{audioCodec}", facts), "OPUS");
    facts.audio_codec = "";
    EXPECT_EQ(named("{streamName}{audioCodec}", facts), "cam1") << "a stream without audio";
}

TEST(Pattern, KeepsUnknownElementsAndNamesThemOnce) {
    const Pattern pattern("{foo}/{streamName}-{bar}-{foo}{}");
    EXPECT_EQ(pattern.unknown(), (std::vector<std::string>{"foo", "bar", ""}));
    EXPECT_EQ(pattern.name(Facts{}.recording(), {}), "{foo}/cam1-{bar}-{foo}{}");
    EXPECT_EQ(named("{StreamName}"), "{StreamName}") << "case matters";
}

TEST(Pattern, TakesLonelyBracesAsText) {
    for (const auto& [pattern, expected] : {std::pair{"{streamName", "{streamName"},
                                            {"streamName}", "streamName}"},
                                            {"{{login}}", "{bob}"},
                                            {"a}b{login}", "a}bbob"},
                                            {"}{", "}{"}})
        EXPECT_EQ(named(pattern), expected) << pattern;
}

TEST(Pattern, DoesNotExpandWhatAValueBrings) {
    Facts facts;
    facts.stream = "{login}";
    EXPECT_EQ(named("{streamName}", facts), "{login}");
}

TEST(Pattern, MakesFoldersOnlyOfItsOwnSlashes) {
    Facts facts;
    facts.stream = "a/../../b";
    facts.login = "..";
    for (const auto& [pattern, expected] : {std::pair{"{login}/{streamName}", "_./a_.._.._b"},
                                            {"/etc/{streamName}", "etc/a_.._.._b"},
                                            {"a//b/{startTime}", "a/b/40"},
                                            {"../{startTime}", "_./40"},
                                            {"./{startTime}", "_/40"},
                                            {"x/{audioCodec}{startTime}", "x/AAC40"}})
        EXPECT_EQ(named(pattern, facts), expected) << pattern;
    facts.login = "";
    EXPECT_EQ(named("{login}/{streamName}", facts), "_/a_.._.._b") << "a folder is never empty";
    facts.login = std::string(300, 'x');
    EXPECT_EQ(named("{streamName}/{login}", facts), "a_.._.._b/" + std::string(32, 'x'));
    facts.stream = std::string(300, 'x');
    EXPECT_EQ(named("{streamName}/y", facts), std::string(255, 'x') + "/y") << "a folder is shortened here";
}

TEST(Pattern, MakesUnsafeNamesSafe) {
    Facts facts;
    for (const auto& [stream, expected] : {std::pair<std::string, std::string>{"a/b", "a_b"},
                                           {"../x", "_._x"},
                                           {".ssh", "_ssh"},
                                           {std::string("nul\0byte", 8), "nul_byte"},
                                           {"line\nfeed", "line_feed"},
                                           {"\xFF\xFE", "__"},
                                           {"$(touch pwned) \"x;y", "$(touch pwned) \"x;y"}}) {
        facts.stream = stream;
        EXPECT_EQ(named("{streamName}", facts), expected) << stream;
    }
}

TEST(Pattern, GivesASensibleNameWhereNothingIsLeft) {
    Facts facts;
    facts.stream = "";
    EXPECT_EQ(named("{streamName}", facts), facts.media_session);
    EXPECT_EQ(named("", facts), facts.media_session);
    EXPECT_EQ(named("/", facts), facts.media_session);
    EXPECT_EQ(named("records/", facts), "records/" + facts.media_session);
    facts.media_session = "../x";
    EXPECT_EQ(named("{streamName}", facts), "_._x");
    facts.media_session = "";
    EXPECT_EQ(named("{streamName}", facts), "unnamed");
    EXPECT_EQ(named("{streamName}", facts, {.encoding = Encoding::hex}), "unnamed");
}

TEST(Pattern, TakesExcludedCharactersOutBeforeAnythingElse) {
    Facts facts;
    facts.stream = "rtsp://10.0.0.1:554/a,b";
    const Rules rules{.exclude = ":.,/"};
    EXPECT_EQ(named("{streamName}", facts, rules), "rtsp10001554ab");
    EXPECT_EQ(named("v1.0/{streamName}", facts, rules), "v10/rtsp10001554ab") << "folders of the template stay";
    facts.stream = ":.,/";
    EXPECT_EQ(named("{streamName}", facts, rules), facts.media_session);
    facts.stream = "a:b";
    EXPECT_EQ(named("{streamName}", facts, {.exclude = ":", .encoding = Encoding::hex}), "6162");
}

TEST(Pattern, EncodesTheWholeStemFolderByFolder) {
    Facts facts;
    facts.stream = "a/b";
    EXPECT_EQ(named("{streamName}", facts, {.encoding = Encoding::hex}), "612f62");
    EXPECT_EQ(named("{streamName}", facts, {.encoding = Encoding::base64}), "YS9i");
    EXPECT_EQ(named("x-{streamName}", facts, {.encoding = Encoding::hex}), "782d612f62");
    EXPECT_EQ(named("{login}/{streamName}", facts, {.encoding = Encoding::hex}), "626f62/612f62");
    facts.stream = "\xFB\xFF\xFE";
    EXPECT_EQ(named("{streamName}", facts, {.encoding = Encoding::base64}), "-__-") << "bytes that are no UTF-8 too";
}

TEST(Pattern, ShortensWhatItEncodesSoThatItCanBeDecoded) {
    Facts facts;
    facts.stream = repeat("\xC3\xA9", 200);
    const auto encoded = named("{streamName}", facts, {.encoding = Encoding::hex});
    EXPECT_EQ(encoded, repeat("c3a9", 58));  // 235 characters: room for `_N`, `-2` and `.mp4` within 255
    const auto base = named("{streamName}", facts, {.encoding = Encoding::base64});
    EXPECT_LE(base.size(), 235u);
    EXPECT_EQ(base, encode(Encoding::base64, repeat("\xC3\xA9", 88)));
    EXPECT_EQ(named("{streamName}/x", facts, {.encoding = Encoding::hex}), repeat("c3a9", 63) + "/78");
}

TEST(Pattern, LeavesGapsForWhatOnlyTheEndTells) {
    const auto running = Facts{}.running();
    for (const auto& [pattern, expected] :
         {std::pair{"9c3e-{streamName}-{startTimeMillis}-{endTime}", "9c3e-cam1-1553577643961-{endTime}"},
          {"{endTimeMillis}", "{endTimeMillis}"},
          {"{duration}/{startTime}", "{duration}/40"}})
        EXPECT_EQ(named(pattern, running), expected) << pattern;
    EXPECT_EQ(named("a-{endTime}-b", running, {.encoding = Encoding::hex}), "612d{endTime}2d62");
    EXPECT_EQ(named("{endTime}", running, {.exclude = "{}T"}), "{endTime}") << "gaps are no text";
    auto unborn = running;
    unborn.audio_codec = unborn.video_codec = "";
    EXPECT_EQ(named("{audioCodec}-{videoCodec}", unborn), "{audioCodec}-{videoCodec}");
    unborn.audio_codec = "AAC";
    EXPECT_EQ(named("{audioCodec}-{videoCodec}", unborn), "AAC-") << "a stream without video";
}

TEST(Pattern, WritesMinusOneForATimeThatNobodyKnows) {
    auto facts = Facts{}.running();
    facts.flags = TD_RECORDING_FINAL | TD_RECORDING_RECOVERED;
    EXPECT_EQ(named("{streamName}-{endTime}-{duration}", facts), "cam1--1--1");
}

TEST(Pattern, FillsTheDurationInForMp4Only) {
    Facts facts;
    facts.extension = "webm";
    EXPECT_EQ(named("x{duration}", facts), "x");
    EXPECT_EQ(named("x{duration}", facts.running()), "x") << "no gap that is never filled";
    EXPECT_EQ(named("x{duration}", facts, {.duration_in_all_formats = true}), "x20026");
}

TEST(Pattern, RoundsTimesDown) {
    Facts facts;
    facts.media_start_us = -1;
    EXPECT_EQ(named("{startTime}", facts), "-1");
    facts.media_start_us = -1000;
    EXPECT_EQ(named("{startTime}", facts), "-1");
    facts.media_start_us = 999;
    EXPECT_EQ(named("{startTime}", facts), "0");
}

TEST(Pattern, NamesMultiRecordingsAsTheSpecificationShows) {
    Facts facts;
    facts.flags |= TD_RECORDING_MULTI;
    facts.stream = "multi-recorder://test-record";
    EXPECT_EQ(named("{streamName}-{startTime}-{startTimeMillis}-{endTime}-{endTimeMillis}", facts),
              "multi-recorder___test-record--1-1553577643961--1-1553577663988");
}

}  // namespace
}  // namespace tapedeck::naming
