// The table "Versions" of the architecture, each row as host 0.5 and as host 1.0.
#include "plugin/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapedeck::host {
namespace {

using Format = Facts::Format;
using End = ProbeOutcome::End;

Facts bytes(Format format, std::string detail = {}) {
    Facts facts;
    facts.file = "x.so";
    facts.format = format;
    facts.detail = std::move(detail);
    return facts;
}

Facts entries(std::vector<std::uint32_t> majors) {
    Facts facts = bytes(Format::SharedLibrary);
    facts.entry_majors = std::move(majors);
    return facts;
}

/// For both majors, so that each host finds its entry symbol.
Facts probed(End end, std::string text) {
    Facts facts = entries({0, 1});
    facts.probe = ProbeOutcome{end, std::move(text), {}};
    return facts;
}

Facts built_for(std::uint32_t major, std::uint32_t minor, std::uint32_t needs_minor) {
    Facts facts = entries({major});
    DescriptorFacts descriptor;
    descriptor.sdk_major = major;
    descriptor.sdk_minor = minor;
    descriptor.needs_minor = needs_minor;
    descriptor.offers = {{"tapedeck.writer/1", "csv", "", {}}};
    facts.probe = ProbeOutcome{End::Loaded, "", descriptor};
    return facts;
}

struct Row {
    const char* name;
    Facts facts;
    const char* as_0_5;  ///< the message; empty: it loads
    const char* as_1_0;
};

class Table : public testing::TestWithParam<Row> {};

TEST_P(Table, SaysExactlyThis) {
    const Row& row = GetParam();
    const Verdict old_host = verdict(row.facts, 0, 5), new_host = verdict(row.facts, 1, 0);
    EXPECT_EQ(old_host.message, row.as_0_5);
    EXPECT_EQ(old_host.loads, *row.as_0_5 == '\0');
    EXPECT_EQ(new_host.message, row.as_1_0);
    EXPECT_EQ(new_host.loads, *row.as_1_0 == '\0');
    EXPECT_THAT(old_host.warnings, testing::IsEmpty());
    EXPECT_THAT(new_host.warnings, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Versions, Table,
    testing::Values(
        Row{"Text", bytes(Format::NotSharedLibrary), "x.so: not a shared library", "x.so: not a shared library"},
        Row{"Truncated", bytes(Format::Damaged), "x.so: damaged shared library", "x.so: damaged shared library"},
        Row{"Unreadable", bytes(Format::Unreadable, "Permission denied"), "x.so: cannot be read: Permission denied",
            "x.so: cannot be read: Permission denied"},
        Row{"OtherMachine", bytes(Format::OtherMachine, "AArch64"), "x.so: built for another machine (AArch64)",
            "x.so: built for another machine (AArch64)"},
        Row{"OtherLibrary", entries({}), "x.so: a shared library, but not a tapedeck plugin",
            "x.so: a shared library, but not a tapedeck plugin"},
        Row{"Major2", entries({2}), "x.so: built for SDK 2, this host speaks SDK 0",
            "x.so: built for SDK 2, this host speaks SDK 1"},
        Row{"Major0", entries({0}), "", "x.so: built for SDK 0, this host speaks SDK 1"},
        Row{"Major1", entries({1}), "x.so: built for SDK 1, this host speaks SDK 0", ""},
        Row{"Majors1And2", entries({1, 2}), "x.so: built for SDK 1 and 2, this host speaks SDK 0", ""},
        Row{"NeedsNewerMinor", built_for(1, 7, 7), "x.so: built for SDK 1, this host speaks SDK 0",
            "x.so: needs SDK 1.7, this host has 1.0"},
        Row{"OlderMinorOf0", built_for(0, 4, 0), "x.so: built for SDK 0.4, this host speaks exactly 0.5",
            "x.so: built for SDK 0, this host speaks SDK 1"},
        Row{"NewerMinorOf0", built_for(0, 6, 0), "x.so: built for SDK 0.6, this host speaks exactly 0.5",
            "x.so: built for SDK 0, this host speaks SDK 1"},
        Row{"SameMinorOf0", built_for(0, 5, 5), "", "x.so: built for SDK 0, this host speaks SDK 1"},
        Row{"NewerMinorThatNeedsNothingNew", built_for(1, 7, 0), "x.so: built for SDK 1, this host speaks SDK 0", ""},
        Row{"SameMinorOf1", built_for(1, 0, 0), "x.so: built for SDK 1, this host speaks SDK 0", ""},
        Row{"UndefinedSymbol", probed(End::Refused, "undefined symbol: av_free"), "x.so: undefined symbol: av_free",
            "x.so: undefined symbol: av_free"},
        Row{"Crashes", probed(End::Crashed, "Segmentation fault"),
            "x.so: crashed while being probed: Segmentation fault",
            "x.so: crashed while being probed: Segmentation fault"},
        Row{"Hangs", probed(End::Hung, "5 s"), "x.so: did not load within 5 s while being probed",
            "x.so: did not load within 5 s while being probed"},
        Row{"Throws", probed(End::Threw, "bad_alloc"), "x.so: threw while being probed: bad_alloc",
            "x.so: threw while being probed: bad_alloc"},
        Row{"Exits", probed(End::Exited, "exit status 3"), "x.so: ended the process while being probed: exit status 3",
            "x.so: ended the process while being probed: exit status 3"},
        Row{"InvalidDescriptor", probed(End::Invalid, "its name is missing"),
            "x.so: its descriptor is not valid: its name is missing",
            "x.so: its descriptor is not valid: its name is missing"},
        Row{"NoChild", probed(End::Failed, "Cannot allocate memory"),
            "x.so: could not be probed: Cannot allocate memory", "x.so: could not be probed: Cannot allocate memory"}),
    [](const testing::TestParamInfo<Row>& row) { return row.param.name; });

TEST(Verdict, NamesWhatIsExportedTooMuch) {
    Facts facts = built_for(0, 5, 5);
    facts.extra_exports = {"helper"};
    Verdict result = verdict(facts, 0, 5);
    EXPECT_TRUE(result.loads);
    EXPECT_THAT(result.warnings,
                testing::ElementsAre("x.so: exports more than its entry: helper; build it with tapedeck_add_plugin()"));
    facts.extra_exports = {"a", "b", "c", "d", "e", "f", "g"};
    result = verdict(facts, 0, 5);
    EXPECT_THAT(result.warnings, testing::ElementsAre("x.so: exports more than its entry: a, b, c, d, e and 2 more; "
                                                      "build it with tapedeck_add_plugin()"));
}

TEST(Verdict, ListsUnknownKindsAndLoadsTheRest) {
    Facts facts = built_for(1, 0, 0);
    facts.probe->descriptor->offers.push_back({"tapedeck.writer/2", "csv", "", {}});
    const Verdict result = verdict(facts, 1, 0);
    EXPECT_TRUE(result.loads);
    EXPECT_THAT(result.warnings, testing::ElementsAre("x.so: tapedeck.writer/2 csv: not supported by this host"));
}

TEST(Verdict, ShowsNoControlCharactersOfFileNames) {
    Facts facts = bytes(Format::NotSharedLibrary);
    facts.file = "a\nb.so";
    EXPECT_EQ(verdict(facts, 1, 0).message, "a?b.so: not a shared library");
}

}  // namespace
}  // namespace tapedeck::host
