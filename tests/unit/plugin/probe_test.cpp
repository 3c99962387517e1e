#include "plugin/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "plugin/probe_report.hpp"
#include "plugin/verdict.hpp"
#include "tapedeck/abi.h"
#include "temporary_folder.hpp"

namespace tapedeck::host {
namespace {

using End = ProbeOutcome::End;

/// What the operator reads of a test plugin after facts and probe.
Verdict judge(const std::string& plugin, std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    Facts facts = read_facts(test_plugin(plugin));
    const Verdict early = verdict(facts, TD_SDK_MAJOR, TD_SDK_MINOR);
    if (!early.loads) return early;
    facts.probe = probe(PROBE_HOST, test_plugin(plugin), limit);
    return verdict(facts, TD_SDK_MAJOR, TD_SDK_MINOR);
}

TEST(Probe, ReportsTheDescriptorOfAGoodPlugin) {
    const ProbeOutcome outcome = probe(PROBE_HOST, test_plugin("good_hook"), std::chrono::seconds(60));
    ASSERT_EQ(outcome.end, End::Loaded) << outcome.text;
    const DescriptorFacts& plugin = *outcome.descriptor;
    EXPECT_EQ(plugin.sdk_major, static_cast<std::uint32_t>(TD_SDK_MAJOR));
    EXPECT_EQ(plugin.sdk_minor, static_cast<std::uint32_t>(TD_SDK_MINOR));
    EXPECT_EQ(plugin.name, "good-hook");
    EXPECT_EQ(plugin.version, "1.2.3");
    ASSERT_EQ(plugin.offers.size(), 1u);
    EXPECT_EQ(plugin.offers[0].interface_id, TD_KIND_HOOK);
    EXPECT_EQ(plugin.offers[0].id, "good");
    ASSERT_EQ(plugin.offers[0].keys.size(), 3u);
    EXPECT_EQ(plugin.offers[0].keys[1].name, "patience");
    EXPECT_EQ(plugin.offers[0].keys[1].type, static_cast<std::uint32_t>(TD_DURATION));
    EXPECT_EQ(plugin.offers[0].keys[1].flags, TD_KEY_RELOAD);
    EXPECT_EQ(plugin.offers[0].keys[1].unit, "ms");
}

struct Bad {
    const char* plugin;
    std::string message;
};

class BadPlugin : public testing::TestWithParam<Bad> {};

TEST_P(BadPlugin, IsRefusedWithExactlyThisMessageAndThisProcessLivesOn) {
    const Verdict result = judge(GetParam().plugin);
    EXPECT_FALSE(result.loads);
    EXPECT_EQ(result.message, GetParam().message);
}

const std::string minor_text = std::to_string(TD_SDK_MINOR);
const std::string next_minor_text = std::to_string(TD_SDK_MINOR + 1);

INSTANTIATE_TEST_SUITE_P(
    All, BadPlugin,
    testing::Values(Bad{"bad_text", "bad_text.so: not a shared library"},
                    Bad{"bad_truncated", "bad_truncated.so: damaged shared library"},
                    Bad{"bad_not_a_plugin", "bad_not_a_plugin.so: a shared library, but not a tapedeck plugin"},
                    Bad{"bad_other_major", "bad_other_major.so: built for SDK 7, this host speaks SDK 0"},
                    Bad{"bad_other_minor", "bad_other_minor.so: built for SDK 0." + next_minor_text +
                                               ", this host speaks exactly 0." + minor_text},
                    Bad{"bad_undefined_symbol",
                        "bad_undefined_symbol.so: undefined symbol: tapedeck_test_nobody_has_this"},
                    Bad{"bad_missing_library",
                        "bad_missing_library.so: libnot_there.so: cannot open shared object file: No such "
                        "file or directory"},
                    Bad{"bad_crash_on_load", "bad_crash_on_load.so: crashed while being probed: Segmentation fault"},
                    Bad{"bad_throw_on_load", "bad_throw_on_load.so: threw while being probed: bad_alloc"},
                    Bad{"bad_exit_on_load", "bad_exit_on_load.so: ended the process while being probed: exit status 3"},
                    Bad{"bad_descriptor", "bad_descriptor.so: its descriptor is not valid: its name is missing"}),
    [](const testing::TestParamInfo<Bad>& bad) { return std::string(bad.param.plugin); });

TEST(Probe, EndsAPluginThatHangs) {
    const Verdict result = judge("bad_hang_on_load", std::chrono::seconds(1));
    EXPECT_EQ(result.message, "bad_hang_on_load.so: did not load within 1 s while being probed");
}

TEST(Probe, WarnsOfAPluginThatExportsMore) {
    const Verdict result = judge("bad_exports_more");
    EXPECT_TRUE(result.loads) << result.message;
    ASSERT_EQ(result.warnings.size(), 1u);
    EXPECT_THAT(result.warnings[0], testing::StartsWith("bad_exports_more.so: exports more than its entry: "));
    EXPECT_THAT(result.warnings[0], testing::EndsWith("; build it with tapedeck_add_plugin()"));
}

TEST(Probe, LoadsTheKnownHalfOfAPlugin) {
    const Verdict result = judge("bad_unknown_kind");
    EXPECT_TRUE(result.loads) << result.message;
    EXPECT_THAT(result.warnings,
                testing::ElementsAre("bad_unknown_kind.so: tapedeck.thing/2 x: not supported by this host"));
}

TEST(Probe, SaysWhenThereIsNoProgramToProbeWith) {
    const ProbeOutcome outcome = probe("/nowhere/tapedeck", test_plugin("good_hook"));
    EXPECT_EQ(outcome.end, End::Failed);
    EXPECT_EQ(outcome.text, "/nowhere/tapedeck: No such file or directory");
}

TEST(Probe, RunsOnSeveralThreadsAtOnce) {
    std::vector<std::jthread> threads;
    std::vector<ProbeOutcome> outcomes(4);
    for (auto& outcome : outcomes)
        threads.emplace_back([&] { outcome = probe(PROBE_HOST, test_plugin("good_hook"), std::chrono::seconds(60)); });
    threads.clear();
    for (const auto& outcome : outcomes) EXPECT_EQ(outcome.end, End::Loaded) << outcome.text;
}

ProbeOutcome full_outcome() {
    DescriptorFacts descriptor;
    descriptor.sdk_minor = 3;
    descriptor.name = "a name: with 3:digits\n";
    descriptor.offers = {
        {"tapedeck.hook/1", "one", "doc", {}},
        {"tapedeck.hook/1", "two", "", {{TD_SIZE, TD_KEY_SECRET, "k", "a", "1k", "", "d", "", -1, 9}}}};
    return {End::Loaded, "text", descriptor};
}

TEST(ProbeReport, ComesBackAsItWasSent) {
    const auto back = decode_report(encode_report(full_outcome()));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->end, End::Loaded);
    EXPECT_EQ(back->text, "text");
    EXPECT_EQ(back->descriptor, full_outcome().descriptor);
}

TEST(ProbeReport, OfWhichAPartIsMissingIsNone) {
    const std::string bytes = encode_report(full_outcome());
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_report(bytes.substr(0, size))) << size;
    EXPECT_FALSE(decode_report(bytes + "x"));
    EXPECT_FALSE(decode_report("99999999999999999999:x"));
    EXPECT_FALSE(decode_report("5:offer1:a3:end0:"));
}

}  // namespace
}  // namespace tapedeck::host
