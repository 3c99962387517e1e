#include "config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sample_keys.hpp"
#include "temporary_folder.hpp"

namespace tapedeck::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CheckReport report(std::string_view text) {
    SettingsSource source("/home", text);
    sample::declare(source);
    return check(*source.current());
}

TEST(Check, AnUnknownKeyOfAPluginIsAnErrorWithTheNearestName) {
    const std::string text = std::string(13, '\n') + "writer.mp4.fragmnet = 1s\n";
    EXPECT_THAT(
        report(text).errors,
        ElementsAre(
            "flashphoner.properties:14: unknown key 'writer.mp4.fragmnet'; did you mean 'writer.mp4.fragment'?"));
}

TEST(Check, AnUnknownKeyOfAKnownKindIsAnError) {
    for (const auto& [key, message] :
         {std::pair{"writer.mp4.speed", "unknown key 'writer.mp4.speed'; conf/reference.md has all names"},
          {"storage.azure.bucket",
           "unknown key 'storage.azure.bucket'; there is no plugin storage.azure, see --list-plugins"},
          {"storage.s3.colour", "unknown key 'storage.s3.colour'; conf/reference.md has all names"},
          {"hook.scriptt.script", "unknown key 'hook.scriptt.script'; did you mean 'hook.script.script'?"},
          {"writter.mp4.fragment", "unknown key 'writter.mp4.fragment'; did you mean 'writer.mp4.fragment'?"}}) {
        const CheckReport result = report(std::string(key) + " = 1");
        EXPECT_THAT(result.errors, ElementsAre(std::string("flashphoner.properties:1: ") + message));
        EXPECT_THAT(result.ignored, IsEmpty());
    }
}

TEST(Check, KnownNamesAreNoFindings) {
    const CheckReport result = report(
        "writer.mp4.fragment = 1s\nrecord_dir = x\nhttp.port = 0\nprefer.webm = webm_lavf\n"
        "storage.s3.bucket = tapes\nmp4_container_moov_first = true\n");
    EXPECT_EQ(result.text(), "");
}

TEST(Check, ForeignFlatKeysMakeOneLine) {
    const CheckReport result = report("ip = 1.2.3.4\nws.port = 8080\nsomething_of_ours = 1\n");
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_THAT(result.warnings, IsEmpty());
    EXPECT_EQ(result.ignored,
              "flashphoner.properties: 3 settings that this server has no use for are ignored: "
              "ip, ws.port, something_of_ours");
    EXPECT_EQ(report("ip = 1.2.3.4\n").ignored,
              "flashphoner.properties: 1 setting that this server has no use for is ignored: ip");
    std::string many;
    for (int i = 0; i < 30; ++i) many += "foreign_setting_number_" + std::to_string(i) + "0000 = 1\n";
    EXPECT_TRUE(report(many).ignored.ends_with("foreign_setting_number_230000 and 6 more"));
}

TEST(Check, AFlatKeyWithinTwoEditsOfAKnownOneIsWarnedAbout) {
    for (const auto& [key, near] : {std::pair{"recrd_streams", "record_streams"},
                                    {"record_stop_timeouts", "record_stop_timeout"},
                                    {"mp4_container_moof_frist", "mp4_container_moov_first"},
                                    {"http_port", "http.port"},
                                    {"webm_cluster_size_limt", "webm_cluster_size_limit"}}) {
        const CheckReport result = report(std::string("\n") + key + " = 1\n");
        EXPECT_THAT(result.warnings, ElementsAre(std::string("flashphoner.properties:2: unknown key '") + key +
                                                 "'; did you mean '" + near + "'?"));
        EXPECT_THAT(result.errors, IsEmpty());
        EXPECT_EQ(result.ignored, "");
    }
}

TEST(Check, ANameOfWcsIsNoTypingMistake) {
    const CheckReport result = report("ws.port = 1\nwss.port = 1\nrtsp.port = 1\nip = a\nport_to = 1\n");
    EXPECT_THAT(result.warnings, IsEmpty());
    EXPECT_THAT(result.errors, IsEmpty());
}

TEST(Check, ValuesAreCheckedInTheOrderOfTheFile) {
    const CheckReport result = report(
        "record_stop_timeout = soon\nhttp.port = 99999\nhttp.port = 99998\n"
        "protocol.rtmp.overflow = explode\nwriter.mp4.x = 1\nmp4_container_moov_first = 2\n");
    EXPECT_THAT(
        result.errors,
        ElementsAre("flashphoner.properties:1: record_stop_timeout: 'soon' is not a duration; write 500ms, 15s, 60min, "
                    "1h or a number",
                    "flashphoner.properties:3: http.port: '99998' is out of range; it goes from 0 to 65535",
                    "flashphoner.properties:4: protocol.rtmp.overflow: 'explode' is none of: drop, wait",
                    "flashphoner.properties:5: unknown key 'writer.mp4.x'; conf/reference.md has all names",
                    "flashphoner.properties:6: mp4_container_moov_first: '2' is neither true nor false"));
    EXPECT_THAT(result.warnings,
                ElementsAre("flashphoner.properties:3: 'http.port' is given again; line 2 does not count"));
}

TEST(Check, AMissingRequiredKeyOfAnEnabledPluginIsAnError) {
    SettingsSource source("/home", "");
    sample::declare(source);
    source.declare("storage.s3", "A bucket", sample::s3_keys, true);
    EXPECT_THAT(
        check(*source.current()).errors,
        ElementsAre(
            "flashphoner.properties: 'storage.s3.bucket' is required; set it, or take storage.s3 out of 'enable'"));
}

TEST(Check, AnAliasThatSaysSomethingElseIsWarnedAbout) {
    const CheckReport result = report("storage.local.root = a\nrecord_dir = b\n");
    EXPECT_THAT(
        result.warnings,
        ElementsAre("flashphoner.properties:2: 'record_dir' does not count for 'storage.local.root', set in line 1"));
    EXPECT_THAT(report("storage.local.root = a\nrecord_dir = a\n").warnings, IsEmpty());
}

TEST(Check, TheCommandLineIsMeantForThisServer) {
    const sample::TemporaryFolder folder;
    const std::vector<std::string> overrides{"record_dri=x", "foo=x", "http.port=x", "rtsp.port=0"};
    SettingsSource source("/home", folder.write("w.properties", "\nfoo = x\n"), overrides);
    sample::declare(source);
    const CheckReport result = check(*source.current());
    EXPECT_THAT(result.errors, ElementsAre("-D: http.port: 'x' is not a whole number",
                                           "-D: unknown key 'record_dri'; did you mean 'record_dir'?",
                                           "-D: unknown key 'foo'; conf/reference.md has all names"));
    EXPECT_EQ(result.ignored, "w.properties: 2 settings that this server has no use for are ignored: foo, rtsp.port");
}

TEST(Check, AnUnmodifiedStockFileGivesOneLine) {
    SettingsSource source("/srv/deck", std::filesystem::path(DATA_DIR) / "stock.properties", {});
    sample::declare(source);
    const CheckReport result = check(*source.current());
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_THAT(result.warnings, IsEmpty());
    EXPECT_TRUE(
        result.ignored.starts_with("stock.properties: 35 settings that this server has no use for are ignored: ip, "))
        << result.ignored;
    EXPECT_EQ(result.text(), result.ignored + "\n");
    EXPECT_EQ(Scope(source, "storage.local").path(sample::root), "/srv/deck/records");
    EXPECT_EQ(Scope(source, "hook.script").path(sample::script), "/srv/deck/bin/on_record_hook.sh");
    EXPECT_EQ(Scope(source, "naming.template").text(sample::exclude), ":.,/");
    EXPECT_EQ(Scope(source, "").text(sample::record_rotation), "10M");
    EXPECT_EQ(Scope(source, "").path(sample::record_tmp_dir), "");
    EXPECT_TRUE(Scope(source, "protocol.rtmp").boolean(sample::record));
}

TEST(Check, WhatIsShownHasNoControlCharacters) {
    EXPECT_THAT(
        report("writer.\\u001b[31m.x = 1").errors,
        ElementsAre("flashphoner.properties:1: unknown key 'writer.?[31m.x'; there is no plugin writer.?[31m, see "
                    "--list-plugins"));
}

}  // namespace
}  // namespace tapedeck::host
