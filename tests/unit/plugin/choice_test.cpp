#include "plugin/choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapedeck::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;

const std::vector<Candidate> mp4_and_rtmp{
    {"protocol.rtmp", "/p/rtmp.so"}, {"writer.mp4", "/p/mp4.so"}, {"reader.mp4", "/p/mp4.so"}};
const std::vector<Candidate> two_mp4{{"writer.mp4", "/p/mp4.so"},
                                     {"reader.mp4", "/p/mp4.so"},
                                     {"writer.mp4", "/q/mp4_fast.so"},
                                     {"reader.mp4", "/q/mp4_fast.so"}};
const std::vector<RefusedFile> one_refused{
    {"/p/writer_webm.so", "writer_webm.so: damaged shared library", {}},
    {"/p/old.so", "old.so: built for SDK 0.4, this host speaks exactly 0.5", {"storage.s3"}}};

Names none(std::size_t) {
    return {};
}

PluginPlan plan(const std::vector<Candidate>& candidates, const PluginWishes& wishes,
                const std::vector<RefusedFile>& refused = {}) {
    return plan_plugins(candidates, refused, wishes, none);
}

TEST(Choice, WithoutEnableIsEverythingThatLacksNoRequiredSetting) {
    const auto missing = [](std::size_t index) { return index == 1 ? Names{"writer.mp4.key"} : Names{}; };
    const PluginPlan result = plan_plugins(mp4_and_rtmp, {}, {}, missing);
    EXPECT_THAT(result.on, ElementsAre(0, 2));
    EXPECT_EQ(result.notes.at(1), "off: writer.mp4.key is not set");
    EXPECT_THAT(result.errors, IsEmpty());
}

TEST(Choice, WithEnableIsThatAndTheReadersOfItsWriters) {
    const PluginPlan result = plan(mp4_and_rtmp, {Names{"writer.mp4"}, {}});
    EXPECT_THAT(result.on, ElementsAre(1, 2));
    EXPECT_EQ(result.notes.at(0), "not enabled");
}

TEST(Choice, EnabledButMissingIsAnErrorWithTheNearestName) {
    const PluginPlan result = plan(mp4_and_rtmp, {Names{"writer.mp5", "nonsense", "wrtier.mp4"}, {}});
    EXPECT_THAT(
        result.errors,
        ElementsAre("enable: writer.mp5: no plugin file offers it; did you mean 'writer.mp4'?",
                    "enable: 'nonsense' is not a plugin's name; those are <kind>.<id> with a kind of protocol, "
                    "transform, writer, reader, naming, storage, hook",
                    "enable: 'wrtier.mp4' is not a plugin's name; those are <kind>.<id> with a kind of protocol, "
                    "transform, writer, reader, naming, storage, hook; did you mean 'writer.mp4'?"));
}

TEST(Choice, EnabledButRefusedIsAnErrorWithTheReason) {
    const PluginPlan result = plan(mp4_and_rtmp, {Names{"writer.webm", "storage.s3"}, {}}, one_refused);
    EXPECT_THAT(result.errors,
                ElementsAre("enable: writer.webm: writer_webm.so: damaged shared library",
                            "enable: storage.s3: old.so: built for SDK 0.4, this host speaks exactly 0.5"));
    EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(Choice, RefusedButNotEnabledIsAWarning) {
    const PluginPlan result = plan(mp4_and_rtmp, {Names{"writer.mp4"}, {}}, one_refused);
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_THAT(result.warnings, ElementsAre("writer_webm.so: damaged shared library",
                                             "old.so: built for SDK 0.4, this host speaks exactly 0.5"));
}

TEST(Choice, OfTwoFilesWithOneIdIsNeitherAndNamesBoth) {
    const PluginPlan result = plan(two_mp4, {});
    EXPECT_THAT(result.on, IsEmpty());
    EXPECT_THAT(
        result.warnings,
        ElementsAre("reader.mp4 is offered by mp4.so and mp4_fast.so; none is used until the configuration says "
                    "which: plugin.reader.mp4 = mp4.so",
                    "writer.mp4 is offered by mp4.so and mp4_fast.so; none is used until the configuration says "
                    "which: plugin.writer.mp4 = mp4.so"));
    EXPECT_THAT(plan(two_mp4, {Names{"writer.mp4"}, {}}).errors,
                ElementsAre("enable: writer.mp4 is offered by mp4.so and mp4_fast.so; none is used until the "
                            "configuration says which: plugin.writer.mp4 = mp4.so"));
}

TEST(Choice, OfTwoFilesIsTheOneTheConfigurationNamesWithItsReader) {
    const PluginPlan result = plan(two_mp4, {{}, {{"writer.mp4", "mp4_fast.so"}}});
    EXPECT_THAT(result.on, ElementsAre(2, 3));
    EXPECT_EQ(result.notes.at(0), "plugin.writer.mp4 = mp4_fast.so is used");
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(Choice, OfTwoFilesKeepsTheOneThatIsInUse) {
    std::vector<Candidate> candidates{{"hook.a", "/p/a.so", true}, {"hook.a", "/p/b.so"}};
    const PluginPlan result = plan(candidates, {});
    EXPECT_THAT(result.on, ElementsAre(0));
    EXPECT_EQ(result.notes.at(1), "a.so is in use");
    EXPECT_THAT(result.warnings,
                ElementsAre("hook.a is offered by a.so and b.so; a.so stays in use, but the next start uses none until "
                            "the configuration says which: plugin.hook.a = a.so"));
}

TEST(Choice, MayNameFilesByTheEndOfTheirPath) {
    const std::vector<Candidate> same_name{{"hook.a", "/p/one/a.so"}, {"hook.a", "/p/two/a.so"}};
    EXPECT_THAT(plan(same_name, {{}, {{"hook.a", "two/a.so"}}}).on, ElementsAre(1));
    EXPECT_THAT(plan(same_name, {{}, {{"hook.a", "a.so"}}}).errors,
                ElementsAre("plugin.hook.a = a.so: fits /p/one/a.so and /p/two/a.so; give more of the path"));
}

TEST(Choice, OfAFileThatDoesNotServeIsAnError) {
    EXPECT_THAT(plan(two_mp4, {{}, {{"writer.mp4", "slow.so"}}}).errors,
                ElementsAre("plugin.writer.mp4 = slow.so: writer.mp4 is offered by mp4.so and mp4_fast.so only"));
    EXPECT_THAT(plan(two_mp4, {{}, {{"writer.mp3", "slow.so"}}}).errors,
                ElementsAre("plugin.writer.mp3 = slow.so: no plugin offers writer.mp3; did you mean 'writer.mp4'?"));
    EXPECT_THAT(plan(mp4_and_rtmp, {{}, {{"storage.s3", "old.so"}}}, one_refused).errors,
                ElementsAre("plugin.storage.s3 = old.so: old.so: built for SDK 0.4, this host speaks exactly 0.5"));
}

TEST(Choice, ReadsTheEnableList) {
    EXPECT_EQ(parse_enable("protocol.rtmp, writer.mp4"), (Names{"protocol.rtmp", "writer.mp4"}));
    EXPECT_EQ(parse_enable(" a.b ,,c.d\t"), (Names{"a.b", "c.d"}));
    EXPECT_EQ(parse_enable("  "), std::nullopt);
}

}  // namespace
}  // namespace tapedeck::host
