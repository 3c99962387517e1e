#include "plugin/facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "plugin/elf.hpp"
#include "temporary_folder.hpp"

namespace tapedeck::host {
namespace {

using Format = Facts::Format;

ElfFacts parse(const std::string& image) {
    return parse_elf({image.size(), [&image](std::uint64_t at, std::span<std::byte> into) {
                          if (at > image.size() || into.size() > image.size() - at) return false;
                          std::memcpy(into.data(), image.data() + at, into.size());
                          return true;
                      }});
}

TEST(Facts, OfAPluginAreItsEntryAndNothingElse) {
    const Facts facts = read_facts(test_plugin("good_hook"));
    EXPECT_EQ(facts.file, "good_hook.so");
    EXPECT_EQ(facts.format, Format::SharedLibrary);
    EXPECT_THAT(facts.entry_majors, testing::ElementsAre(0));
    EXPECT_THAT(facts.extra_exports, testing::IsEmpty());
    EXPECT_FALSE(facts.probe);
}

TEST(Facts, NameTheMajorOfAnEntrySymbol) {
    EXPECT_THAT(read_facts(test_plugin("bad_other_major")).entry_majors, testing::ElementsAre(7));
}

TEST(Facts, ListWhatAPluginExportsBesides) {
    const Facts facts = read_facts(test_plugin("bad_exports_more"));
    EXPECT_THAT(facts.entry_majors, testing::ElementsAre(0));
    EXPECT_THAT(facts.extra_exports, testing::Contains("tapedeck_test_leaked_helper"));
}

TEST(Facts, OfAnotherLibraryHaveNoEntry) {
    const Facts facts = read_facts(test_plugin("bad_not_a_plugin"));
    EXPECT_EQ(facts.format, Format::SharedLibrary);
    EXPECT_THAT(facts.entry_majors, testing::IsEmpty());
}

TEST(Facts, TellFilesThatAreNoLibraries) {
    const TemporaryFolder folder;
    EXPECT_EQ(read_facts(test_plugin("bad_text")).format, Format::NotSharedLibrary);
    EXPECT_EQ(read_facts(folder.write("empty.so", "")).format, Format::NotSharedLibrary);
    EXPECT_EQ(read_facts(folder.write("short.so", "\x7f")).format, Format::NotSharedLibrary);
    EXPECT_EQ(read_facts(folder.path()).format, Format::NotSharedLibrary);
    const Facts gone = read_facts(folder.path() / "gone.so");
    EXPECT_EQ(gone.format, Format::Unreadable);
    EXPECT_EQ(gone.detail, "No such file or directory");
}

TEST(Facts, OfATruncatedFileAreDamage) {
    EXPECT_EQ(read_facts(test_plugin("bad_truncated")).format, Format::Damaged);
}

TEST(Facts, OfAFileCutAnywhereAreNeverThoseOfALibrary) {
    const std::string whole = contents(test_plugin("good_hook"));
    ASSERT_EQ(parse(whole).format, Format::SharedLibrary);
    for (std::size_t size = 4; size < whole.size(); size += 1 + whole.size() / 997)
        EXPECT_EQ(parse(whole.substr(0, size)).format, Format::Damaged) << size;
}

TEST(Facts, OfAFileWithAnyByteChangedAreReadWithoutHarm) {
    const std::string whole = contents(test_plugin("good_hook"));
    std::string image = whole.substr(0, 4096);  // headers and dynamic tables lie at the start
    for (std::size_t at = 4; at < image.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(0xff);
        const ElfFacts facts = parse(changed);
        EXPECT_LE(facts.exported.size(), 4096u);
    }
}

TEST(Facts, NameTheMachineOfAnother) {
    std::string image = contents(test_plugin("good_hook"));
    image[18] = static_cast<char>(183);  // e_machine
    image[19] = 0;
    const ElfFacts facts = parse(image);
    EXPECT_EQ(facts.format, Format::OtherMachine);
    EXPECT_EQ(facts.detail, "AArch64");
}

TEST(Facts, AreFoundWithoutASectionTable) {
    std::string image = contents(test_plugin("bad_other_major"));
    std::memset(image.data() + 40, 0, 8);  // e_shoff
    std::memset(image.data() + 60, 0, 4);  // e_shnum, e_shstrndx
    const TemporaryFolder folder;
    EXPECT_THAT(read_facts(folder.write("stripped.so", image)).entry_majors, testing::ElementsAre(7));
}

}  // namespace
}  // namespace tapedeck::host
