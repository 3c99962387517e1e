#include "config/properties.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tapedeck::host {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Pairs pairs(std::string_view text) {
    Pairs result;
    for (const Property& property : parse_properties(text).entries) result.emplace_back(property.key, property.value);
    return result;
}

TEST(Properties, KeysEndAtTheFirstSeparator) {
    for (const std::string text : {"a=b", "a = b", "a =b", "a: b", "a:b", "a b", "a\tb", "  a\f=\tb  ", "a   =   b\t "})
        EXPECT_THAT(pairs(text), ElementsAre(Pair("a", "b"))) << text;
}

TEST(Properties, ASecondSeparatorBelongsToTheValue) {
    EXPECT_THAT(pairs("a==b"), ElementsAre(Pair("a", "=b")));
    EXPECT_THAT(pairs("a=:b"), ElementsAre(Pair("a", ":b")));
    EXPECT_THAT(pairs("a = b = c : d"), ElementsAre(Pair("a", "b = c : d")));
}

TEST(Properties, AKeyMayHaveNoValue) {
    for (const std::string text : {"domain", "domain=", "domain =", "domain:  "})
        EXPECT_THAT(pairs(text), ElementsAre(Pair("domain", ""))) << text;
    EXPECT_THAT(pairs("=x"), ElementsAre(Pair("", "x")));
}

TEST(Properties, CommentsAndBlankLinesAreNoEntries) {
    EXPECT_THAT(pairs("# c\n! c\n  # c\n\n   \t\n#c\\\nx=1\n"), ElementsAre(Pair("x", "1")));
    EXPECT_THAT(pairs("x=1 # no comment"), ElementsAre(Pair("x", "1 # no comment")));
    EXPECT_THAT(pairs(""), ElementsAre());
}

TEST(Properties, LinesEndInAnyWay) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        const Properties parsed = parse_properties("a=1" + end + end + "# c" + end + "b=2" + end);
        ASSERT_EQ(parsed.entries.size(), 2u);
        EXPECT_EQ(parsed.entries[0].value, "1");
        EXPECT_EQ(parsed.entries[1].value, "2");
        EXPECT_EQ(parsed.entries[1].line, 4u);
    }
}

TEST(Properties, ABackslashAtTheEndContinuesTheLine) {
    EXPECT_THAT(pairs("fruits = apple, \\\n   pear, \\\r\n\tplum\nx=1"),
                ElementsAre(Pair("fruits", "apple, pear, plum"), Pair("x", "1")));
    EXPECT_THAT(pairs("a\\\nb=1"), ElementsAre(Pair("ab", "1")));
    EXPECT_THAT(pairs("a=1\\\n# goes on"), ElementsAre(Pair("a", "1# goes on")));
    EXPECT_THAT(pairs("a=1\\\\\nb=2"), ElementsAre(Pair("a", "1\\"), Pair("b", "2")));
    EXPECT_THAT(pairs("a=1\\"), ElementsAre(Pair("a", "1")));
    EXPECT_THAT(pairs("a=\\\n\\\n1"), ElementsAre(Pair("a", "1")));
}

TEST(Properties, EscapesStandForTheirCharacter) {
    EXPECT_THAT(pairs(R"(a=\t\n\r\f\\\"\q)"), ElementsAre(Pair("a", "\t\n\r\f\\\"q")));
    EXPECT_THAT(pairs(R"(a\ b\=c\:d=1)"), ElementsAre(Pair("a b=c:d", "1")));
    EXPECT_THAT(pairs(R"(\#a=1)"), ElementsAre(Pair("#a", "1")));
    EXPECT_THAT(pairs("a=\\ x\\ "), ElementsAre(Pair("a", " x ")));
    EXPECT_THAT(pairs("a=x\\  \t"), ElementsAre(Pair("a", "x ")));
}

TEST(Properties, UnicodeEscapesBecomeUtf8) {
    EXPECT_THAT(pairs(R"(a=\u0041\u00e4\u20AC)"), ElementsAre(Pair("a", "A\xC3\xA4\xE2\x82\xAC")));
    EXPECT_THAT(pairs(R"(a=\uD83D\uDE00!)"), ElementsAre(Pair("a", "\xF0\x9F\x98\x80!")));
    EXPECT_THAT(pairs(R"(a=\uD83Dx\uDE00)"), ElementsAre(Pair("a", "\xEF\xBF\xBDx\xEF\xBF\xBD")));
    EXPECT_THAT(pairs(R"(a=\uD83D\u0041)"), ElementsAre(Pair("a", "\xEF\xBF\xBD\x41")));
}

TEST(Properties, ABrokenUnicodeEscapeStaysAndIsNoted) {
    const Properties parsed = parse_properties("\na=C:\\users\\u00g1");
    ASSERT_EQ(parsed.entries.size(), 1u);
    EXPECT_EQ(parsed.entries[0].value, "C:\\users\\u00g1");
    ASSERT_EQ(parsed.notes.size(), 1u);
    EXPECT_EQ(parsed.notes[0].line, 2u);
    EXPECT_THAT(parsed.notes[0].text, HasSubstr("'a': a \\u without four hexadecimal digits"));
}

TEST(Properties, TextIsUtf8OrElseLatin1) {
    EXPECT_THAT(pairs("\xEF\xBB\xBF# mark\na=\xC3\xA4"), ElementsAre(Pair("a", "\xC3\xA4")));
    EXPECT_THAT(pairs("\xEF\xBB\xBF"
                      "a=1"),
                ElementsAre(Pair("a", "1")));
    for (const std::string latin : {"\xE4", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE0\x80\x80"}) {
        std::string expected;
        for (const char c : latin) {
            const auto byte = static_cast<unsigned char>(c);
            expected += byte < 0xC0 ? '\xC2' : '\xC3';
            expected += static_cast<char>(byte < 0xC0 ? byte : byte - 0x40);
        }
        EXPECT_THAT(pairs("a=" + latin), ElementsAre(Pair("a", expected)));
    }
}

TEST(Properties, TheLastOfARepeatedKeyWinsAndIsNoted) {
    const Properties parsed = parse_properties("a=1\nb=2\na=3\n\na=4\n");
    ASSERT_EQ(parsed.entries.size(), 2u);
    EXPECT_EQ(parsed.entries[0].key, "b");
    EXPECT_EQ(parsed.find("a")->value, "4");
    EXPECT_EQ(parsed.find("a")->line, 5u);
    ASSERT_EQ(parsed.notes.size(), 2u);
    EXPECT_EQ(parsed.notes[0].line, 3u);
    EXPECT_EQ(parsed.notes[0].text, "'a' is given again; line 1 does not count");
    EXPECT_EQ(parsed.notes[1].text, "'a' is given again; line 3 does not count");
    EXPECT_EQ(parsed.find("c"), nullptr);
}

TEST(Properties, ALineIsWhereItsKeyBegins) {
    const Properties parsed = parse_properties("\n# c\na = 1, \\\n    2\n\nb = 3");
    EXPECT_EQ(parsed.find("a")->line, 3u);
    EXPECT_EQ(parsed.find("b")->line, 6u);
}

}  // namespace
}  // namespace tapedeck::host
