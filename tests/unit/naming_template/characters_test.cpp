// Characters of UTF-8 and what must not stand in a file's name.
#include "characters.hpp"

#include <gtest/gtest.h>

namespace tapedeck::naming {
namespace {

TEST(NameCharacters, AreMeasuredAsRfc3629Says) {
    for (const auto& [text, size, valid] : {std::tuple{"a", 1, true},
                                            {"\xC3\xA9", 2, true},
                                            {"\xE2\x82\xAC", 3, true},
                                            {"\xF0\x9F\x8E\xA5", 4, true},
                                            {"\x80", 1, false},              // a continuation alone
                                            {"\xC3", 1, false},              // torn
                                            {"\xC0\xAF", 1, false},          // `/` in a form too long
                                            {"\xE0\x80\xAF", 1, false},      // the same in three bytes
                                            {"\xED\xA0\x80", 1, false},      // a surrogate
                                            {"\xF4\x90\x80\x80", 1, false},  // past U+10FFFF
                                            {"\xFF", 1, false}}) {
        EXPECT_EQ(first_character(text).size, static_cast<std::size_t>(size)) << text;
        EXPECT_EQ(first_character(text).valid, valid) << text;
    }
}

TEST(NameCharacters, CutsStandBetweenCharacters) {
    EXPECT_EQ(first_characters("h\xC3\xA9llo", 2), "h\xC3\xA9");
    EXPECT_EQ(first_characters("abc", 9), "abc");
    EXPECT_EQ(cut_to_bytes("h\xC3\xA9llo", 2), "h");
    EXPECT_EQ(cut_to_bytes("h\xC3\xA9llo", 3), "h\xC3\xA9");
    EXPECT_EQ(cut_to_bytes("abc", 0), "");
}

TEST(NameCharacters, ExcludedOnesAreTakenOutWhole) {
    EXPECT_EQ(without("rtsp://10.0.0.1:554/a,b", ":.,/"), "rtsp10001554ab");
    EXPECT_EQ(without("caf\xC3\xA9 caf\xC3\xA8", "\xC3\xA9"), "caf caf\xC3\xA8");
    EXPECT_EQ(without("a:b", ""), "a:b");
}

TEST(NameCharacters, UnsafeOnesBecomeUnderscores) {
    for (const auto& [text, expected] : {std::pair<std::string, std::string>{"a/b", "a_b"},
                                         {"../x", "_._x"},
                                         {"..", "_."},
                                         {".hidden", "_hidden"},
                                         {"/etc/passwd", "_etc_passwd"},
                                         {std::string("a\0b", 3), "a_b"},
                                         {"a\nb\x7F\x1B[31m", "a_b__[31m"},
                                         {"a\xC2\x85z", "a_z"},
                                         {"\xC0\xAF", "__"},
                                         {"caf\xC3\xA9 \xF0\x9F\x8E\xA5.1", "caf\xC3\xA9 \xF0\x9F\x8E\xA5.1"},
                                         {"$(touch pwned) \"x;y", "$(touch pwned) \"x;y"},
                                         {"", ""}})
        EXPECT_EQ(safe_component(text), expected) << text;
}

TEST(NameCharacters, ARecordersUriBecomesWhatEveryFileSystemTakes) {
    EXPECT_EQ(portable("multi-recorder://test-record"), "multi-recorder___test-record");
}

}  // namespace
}  // namespace tapedeck::naming
