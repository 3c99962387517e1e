#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapedeck::host {
namespace {

TEST(Text, IsTrimmedOfSpacesAndTabsOnly) {
    EXPECT_EQ(trimmed(" \t 10 M \t"), "10 M");
    EXPECT_EQ(trimmed("10M"), "10M");
    EXPECT_EQ(trimmed("\n"), "\n");
    EXPECT_EQ(trimmed(" \t "), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Text, ChangesTheCaseOfAsciiLettersOnly) {
    EXPECT_EQ(upper("az-AZ 09 \xc3\xa4"), "AZ-AZ 09 \xc3\xa4");
    EXPECT_EQ(lower("az-AZ 09 \xc3\x84"), "az-az 09 \xc3\x84");
}

TEST(Text, ListsAreSplitAtCommas) {
    EXPECT_THAT(list_of(" a,\tb c ,, d"), ::testing::ElementsAre("a", "b c", "d"));
    EXPECT_TRUE(list_of(" , ").empty());
}

}  // namespace
}  // namespace tapedeck::host
