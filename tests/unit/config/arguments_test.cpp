#include "config/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "temporary_folder.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;
using sample::TemporaryFolder;
using testing::ElementsAre;

using Words = std::vector<std::string>;

TEST(ConfigArguments, AreTakenOutOfTheOthers) {
    const TemporaryFolder folder;
    const std::string home = folder.path().native();
    for (const Words& words :
         {Words{"--check-config", "--home", home, "-D", "a=1", "x", "--config", "/c.properties", "-Db=2"},
          Words{"--home=" + home, "-Da=1", "--check-config", "-D", "b=2", "--config=/c.properties", "x"}}) {
        const ConfigArguments found = parse_config_arguments(words, "/opt/deck/bin/tapedeck");
        EXPECT_EQ(found.home, home);
        EXPECT_EQ(found.file, "/c.properties");
        EXPECT_THAT(found.overrides, ElementsAre("a=1", "b=2"));
        EXPECT_THAT(found.rest, ElementsAre("--check-config", "x"));
    }
}

TEST(ConfigArguments, TheHomeIsAboveTheBinOfTheProgram) {
    const TemporaryFolder folder;
    EXPECT_EQ(parse_config_arguments({}, folder.path() / "bin" / "tapedeck").home, folder.path());
    EXPECT_EQ(parse_config_arguments({}, folder.path() / "tapedeck").home, fs::current_path());
    const Words words{"--home", folder.path().native() + "/"};
    EXPECT_EQ(parse_config_arguments(words, "x").home, folder.path());
}

TEST(ConfigArguments, TheFileIsInTheHomesConfIfItIsThere) {
    const TemporaryFolder folder;
    const fs::path program = folder.path() / "bin" / "tapedeck";
    EXPECT_EQ(parse_config_arguments({}, program).file, "");
    fs::create_directory(folder.path() / "conf");
    const fs::path file = folder.write("conf/flashphoner.properties", "");
    EXPECT_EQ(parse_config_arguments({}, program).file, file);
    const Words words{"--config", "other"};
    EXPECT_EQ(parse_config_arguments(words, program).file, fs::current_path() / "other");
}

TEST(ConfigArguments, AfterTwoDashesNothingIsAnOption) {
    const Words words{"--", "-D", "a=1"};
    const ConfigArguments found = parse_config_arguments(words, "x");
    EXPECT_THAT(found.rest, ElementsAre("--", "-D", "a=1"));
    EXPECT_TRUE(found.overrides.empty());
}

TEST(ConfigArguments, OptionsOfOthersAreLeftAlone) {
    const Words words{"--homeless", "--configure=1", "-d", "-"};
    EXPECT_EQ(parse_config_arguments(words, "x").rest, words);
}

TEST(ConfigArguments, MistakesAreNamed) {
    for (const auto& [words, message] : {std::pair{Words{"--home"}, "--home needs a value"},
                                         {Words{"x", "-D"}, "-D needs a value"},
                                         {Words{"--home", "/no/such"}, "--home /no/such: no such folder"}}) {
        try {
            parse_config_arguments(words, "x");
            ADD_FAILURE() << message;
        } catch (const Error& error) {
            EXPECT_STREQ(error.what(), message);
        }
    }
}

}  // namespace
}  // namespace tapedeck::host
