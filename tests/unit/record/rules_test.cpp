#include "record/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "record/keys.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

using ::testing::HasSubstr;

class RecordRulesTest : public ::testing::Test {
protected:
    RecordRulesTest() {
        source_.declare("", "", record_keys);
        source_.declare("", "", store_keys);
    }
    std::vector<RecordRule> parse(const std::string& text) {
        return parse_record_rules(text, "record_rules.yaml", *source_.current());
    }
    std::string refusal(const std::string& text) {
        try {
            parse(text);
        } catch (const Error& error) {
            return error.what();
        }
        return "it was taken";
    }
    static StreamInfo stream(std::string_view protocol, std::string_view name) {
        td_stream_info info{};
        info.size = sizeof info;
        info.protocol = {protocol.data(), protocol.size()};
        info.name = {name.data(), name.size()};
        return StreamInfo(info);
    }

    SettingsSource source_{"/nowhere", std::string_view("storage = local, s3\n")};
};

TEST_F(RecordRulesTest, SayWhatIsRecordedAndHow) {
    const auto rules = parse(R"(
rules:
  - protocol: rtmp
    name: "cam-*"
    record: true
    rotation: 10M
    formats: h264-mkv
    storage: s3
    settings: {record_name_collision: suffix}
  - name: "test?"
    record: no
  - {}
)");
    ASSERT_EQ(rules.size(), 3u);
    EXPECT_TRUE(rules[0].fits(stream("rtmp", "cam-7")));
    EXPECT_FALSE(rules[0].fits(stream("rtsp", "cam-7")));
    EXPECT_FALSE(rules[0].fits(stream("rtmp", "dam-7")));
    EXPECT_EQ(rules[0].record, true);
    EXPECT_EQ(rules[0].options, (OptionTexts{{"record_formats", "h264-mkv"},
                                             {"record_name_collision", "suffix"},
                                             {"record_rotation", "10M"},
                                             {"storage", "s3"}}));
    EXPECT_EQ(rules[1].record, false);
    EXPECT_TRUE(rules[1].fits(stream("webrtc", "test1")));
    EXPECT_FALSE(rules[1].fits(stream("webrtc", "test12")));
    EXPECT_EQ(rules[2].record, std::nullopt);
    EXPECT_TRUE(rules[2].fits(stream("any", "thing")));
}

TEST_F(RecordRulesTest, ShippedAsCommentsSayNothing) {
    EXPECT_TRUE(parse("# nothing\n").empty());
    EXPECT_TRUE(parse("rules:\n").empty());
}

TEST_F(RecordRulesTest, AMistakeIsNamedWithItsLine) {
    EXPECT_THAT(refusal("rules:\n  - nam: x\n"), HasSubstr("record_rules.yaml:2: a rule has no member 'nam'"));
    EXPECT_THAT(refusal("rules:\n  - record: perhaps\n"), HasSubstr("record_rules.yaml:2: record is true or false"));
    EXPECT_THAT(refusal("rules:\n  - rotation: 10X\n"), HasSubstr("'10X'"));
    EXPECT_THAT(refusal("rules:\n  - formats: mp4\n"), HasSubstr("'mp4' is not <video codec>-<container>"));
    EXPECT_THAT(refusal("rules:\n  - storage: tape\n"), HasSubstr("storage 'tape' is none of the server's"));
    EXPECT_THAT(refusal("rules:\n  - settings: {record_threads: 3}\n"), HasSubstr("record_threads"));
    EXPECT_THAT(refusal("rules:\n  - settings:\n      no_such_key: 3\n"), HasSubstr("record_rules.yaml:3: "));
    EXPECT_THAT(refusal("rules: 5\n"), HasSubstr("rules is a list"));
    EXPECT_THAT(refusal("rules: [\n"), HasSubstr("record_rules.yaml:"));
}

}  // namespace
}  // namespace tapedeck::host
