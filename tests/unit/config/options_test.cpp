#include "config/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sample_keys.hpp"

namespace tapedeck::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

class Options : public testing::Test {
protected:
    Options() : source("/home", "record_rotation = 1h\n") { sample::declare(source); }

    td_options make(const OptionTexts& texts) const { return make_options(*source.current(), texts); }

    SettingsSource source;
};

TEST_F(Options, LieOverTheSettings) {
    const td_options over = make({{"record_rotation", "20M"}, {"writer.mp4.fragment", "2s"}});
    const Scope host(source, ""), mp4(source, "writer.mp4");
    EXPECT_EQ(host.text(sample::record_rotation, &over), "20M");
    EXPECT_EQ(mp4.duration(sample::fragment, &over), 2s);
    EXPECT_TRUE(mp4.is_set(sample::fragment, &over));
    EXPECT_TRUE(mp4.boolean(sample::moov_first, &over)) << "what is not given falls back";
    EXPECT_EQ(host.text(sample::record_rotation), "1h");
    EXPECT_EQ(mp4.find("fragment", &over)->number, 2'000'000);
}

TEST_F(Options, HaveTheNamesOfRest) {
    const td_options over = make({{"fileTemplate", "{streamName}-{endTime}"}, {"rotation", "disabled"}});
    EXPECT_EQ(Scope(source, "naming.template").text(sample::name_template, &over), "{streamName}-{endTime}");
    EXPECT_EQ(Scope(source, "").text(sample::record_rotation, &over), "disabled");
}

TEST_F(Options, TheFullNameWins) {
    for (const OptionTexts& texts :
         {OptionTexts{{"fileTemplate", "a"}, {"naming.template.template", "b"}},
          OptionTexts{{"naming.template.template", "b"}, {"stream_record_policy_template", "a"}}}) {
        const td_options over = make(texts);
        EXPECT_EQ(Scope(source, "naming.template").text(sample::name_template, &over), "b");
    }
}

TEST_F(Options, SurviveAsTexts) {
    const OptionTexts texts{{"mp4_container_moov_first", "no"}, {"rotation", "20"}, {"protocol.rtmp.overflow", "WAIT"}};
    const OptionTexts kept = texts_of(make(texts));
    EXPECT_THAT(kept, ElementsAre(Pair("protocol.rtmp.overflow", "wait"), Pair("record_rotation", "20"),
                                  Pair("writer.mp4.moov_first", "no")));
    const td_options again = restore_options(*source.current(), kept);
    EXPECT_EQ(texts_of(again), kept);
    EXPECT_FALSE(Scope(source, "writer.mp4").boolean(sample::moov_first, &again));
}

TEST_F(Options, AnEmptyValueIsTheSettingsOwnWhereNothingIsNoValue) {
    EXPECT_THAT(texts_of(make({{"rotation", ""}, {"writer.mp4.fragment", ""}})),
                ElementsAre(Pair("record_rotation", "")));
}

TEST_F(Options, AreRefusedWithTheWayOut) {
    for (const auto& [texts, message] :
         {std::pair{OptionTexts{{"fileTemplat", "x"}}, "unknown setting 'fileTemplat'; did you mean 'fileTemplate'?"},
          {OptionTexts{{"bitrate", "x"}}, "unknown setting 'bitrate'"},
          {OptionTexts{{"record_dir", "/etc"}}, "'record_dir' is a setting of the server, not of one recording"},
          {OptionTexts{{"storage.s3.secret", "1"}},
           "'storage.s3.secret' is a setting of the server, not of one recording"},
          {OptionTexts{{"writer.mp4.fragment", "long"}},
           "writer.mp4.fragment: 'long' is not a duration; write 500ms, 15s, 60min, 1h or a number"},
          {OptionTexts{{"fileTemplate", std::string(4097, 'x')}},
           "'fileTemplate': 4097 bytes are too many; 4096 may be given"}}) {
        try {
            make(texts);
            ADD_FAILURE() << message;
        } catch (const Error& error) {
            EXPECT_EQ(error.what(), std::string(message));
            EXPECT_EQ(error.status(), TD_MALFORMED);
        }
    }
}

TEST_F(Options, OfAPluginThatIsGoneAreLeftOut) {
    const td_options over = restore_options(*source.current(), {{"writer.webm.cues", "1"}, {"record_rotation", "20"}});
    EXPECT_THAT(texts_of(over), ElementsAre(Pair("record_rotation", "20")));
}

TEST_F(Options, TextsOutliveTheOptions) {
    std::string_view text;
    {
        const td_options over = make({{"fileTemplate", std::string("a template of some length")}});
        text = Scope(source, "naming.template").find("template", &over)->text;
    }
    EXPECT_EQ(text, "a template of some length");
}

}  // namespace
}  // namespace tapedeck::host
