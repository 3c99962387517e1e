// The files of conf/ that this area ships.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "config/properties.hpp"

namespace tapedeck::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(const std::string& name) {
    std::ifstream in(std::string(CONF_DIR) + "/" + name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(ShippedProperties, SetOnlyWhatMakesTheFirstRecording) {
    std::string text;
    for (const std::string& line : lines_of("flashphoner.properties")) text += line + "\n";
    const Properties parsed = parse_properties(text);
    EXPECT_THAT(parsed.notes, IsEmpty());
    std::vector<std::string> set;
    set.reserve(parsed.entries.size());
    for (const Property& property : parsed.entries) set.push_back(property.key + "=" + property.value);
    EXPECT_THAT(set, ElementsAre("record_flash_published_streams=true", "record_name_collision=suffix"));
}

TEST(ShippedProperties, AreProseOrSettingsInEachComment) {
    const std::regex shape("|# ----.*|#( .*)?|#?[a-z_.0-9]+ =( .*)?");
    for (const std::string& line : lines_of("flashphoner.properties"))
        EXPECT_TRUE(std::regex_match(line, shape)) << line;
}

/// Name or alias -> default, as conf/reference.md has them.
std::map<std::string, std::string> referenced_defaults() {
    const std::regex row("\\| `([^`]+)` \\| .*? \\| (?:`([^`]*)`)? \\| (.*) \\|");
    const std::regex alias("Also called `([^`]+)`");
    std::map<std::string, std::string> defaults;
    for (const std::string& line : lines_of("reference.md")) {
        std::smatch found, other;
        if (!std::regex_match(line, found, row)) continue;
        defaults[found[1]] = found[2];
        const std::string meaning = found[3];
        if (std::regex_search(meaning, other, alias)) defaults[other[1]] = found[2];
    }
    return defaults;
}

TEST(ShippedProperties, ShowEachSettingWithItsDefault) {
    const auto defaults = referenced_defaults();
    std::string text;
    for (const std::string& line : lines_of("flashphoner.properties"))
        if (line.starts_with("#") && !line.starts_with("# ")) text += line.substr(1) + "\n";
    const Properties parsed = parse_properties(text);
    EXPECT_THAT(parsed.notes, IsEmpty());
    EXPECT_GT(parsed.entries.size(), 40u);
    for (const Property& property : parsed.entries) {
        ASSERT_TRUE(defaults.contains(property.key)) << property.key;
        EXPECT_EQ(property.value, defaults.at(property.key)) << property.key;
    }
}

TEST(ShippedSdp, AllowsPicturesAndTheAudioOfR142) {
    const auto lines = lines_of("flash_handler_publish.sdp");
    const auto has = [&lines](std::string_view line) { return std::ranges::find(lines, line) != lines.end(); };
    EXPECT_TRUE(has("m=video 0 RTP/AVP 119 120 121 122"));
    EXPECT_TRUE(has("a=rtpmap:119 H264/90000"));
    EXPECT_TRUE(has("a=rtpmap:120 H265/90000"));
    EXPECT_TRUE(has("m=audio 0 RTP/AVP 97 8 0 102 103 104 105 106 107 108 109 110 111"));
    EXPECT_TRUE(has("a=rtpmap:102 mpeg4-generic/48000/1"));
    EXPECT_EQ(lines.front(), "v=0");
}

}  // namespace
}  // namespace tapedeck::host
