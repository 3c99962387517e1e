#include "config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "config/options.hpp"
#include "sample_keys.hpp"
#include "temporary_folder.hpp"

namespace tapedeck::host {
namespace {

using namespace std::chrono_literals;
using sample::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Settings, AreDefaultsUntilSomebodySetsThem) {
    SettingsSource source("/home", "");
    sample::declare(source);
    const Scope host(source, ""), mp4(source, "writer.mp4"), rtmp(source, "protocol.rtmp");
    EXPECT_EQ(host.integer(sample::http_port), 8081);
    EXPECT_TRUE(host.boolean(sample::record_streams));
    EXPECT_EQ(host.bytes(sample::min_space), 1ull << 30);
    EXPECT_EQ(host.duration(sample::error_interval), 60min);
    EXPECT_EQ(host.duration(sample::stop_timeout), 15s);
    EXPECT_EQ(host.text(sample::record_rotation), "");
    EXPECT_EQ(host.path(sample::record_tmp_dir), "");
    EXPECT_EQ(mp4.duration(sample::fragment), 500ms);
    EXPECT_EQ(rtmp.text(sample::overflow), "drop");
    EXPECT_FALSE(host.is_set(sample::http_port));
}

TEST(Settings, AreReadByFullNameAndByAlias) {
    SettingsSource source("/home", "record_dir = tapes\nprotocol.rtmp.record = yes\n");
    sample::declare(source);
    EXPECT_EQ(Scope(source, "storage.local").path(sample::root), "/home/tapes");
    EXPECT_TRUE(Scope(source, "storage.local").is_set(sample::root));
    EXPECT_TRUE(Scope(source, "protocol.rtmp").boolean(sample::record));
}

TEST(Settings, TheFullNameWinsOverTheAlias) {
    for (const std::string text :
         {"record_dir = a\nstorage.local.root = b\n", "storage.local.root = b\nrecord_dir = a\n"}) {
        SettingsSource source("/home", text);
        sample::declare(source);
        EXPECT_EQ(Scope(source, "storage.local").path(sample::root), "/home/b") << text;
    }
}

TEST(Settings, TheCommandLineWinsOverTheFile) {
    const TemporaryFolder folder;
    const auto file = folder.write("flashphoner.properties", "storage.local.root = a\nhttp.port = 1\n");
    const std::vector<std::string> overrides{"record_dir=first", "record_dir = second = half", "http.port=0"};
    SettingsSource source("/home", file, overrides);
    sample::declare(source);
    EXPECT_EQ(Scope(source, "storage.local").path(sample::root), "/home/second = half");
    EXPECT_EQ(Scope(source, "").integer(sample::http_port), 0);
}

TEST(Settings, AnOverrideNeedsAnEqualsSign) {
    for (const std::string text : {"record_dir", "=x", "", "#a=b", "a b"}) {
        const std::vector<std::string> overrides{text};
        try {
            SettingsSource source("/home", "", overrides);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.what(), "-D " + text + ": write -D key=value");
        }
    }
}

TEST(Settings, AFileThatCannotBeReadIsNamed) {
    const TemporaryFolder folder;
    EXPECT_THROW(SettingsSource("/home", folder.path(), {}), Error);
    EXPECT_THROW(SettingsSource("/home", folder.write("large", std::string((1 << 20) + 1, '#')), {}), Error);
    try {
        SettingsSource source("/home", folder.path() / "none.properties", {});
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_NOT_FOUND);
        EXPECT_THAT(error.what(), HasSubstr("none.properties"));
    }
}

TEST(Settings, ABadValueIsAProblemAndLeavesTheDefault) {
    SettingsSource source("/home", "\nhttp.port = many\n");
    sample::declare(source);
    EXPECT_EQ(Scope(source, "").integer(sample::http_port), 8081);
    const auto settings = source.current();
    ASSERT_EQ(settings->problems().size(), 1u);
    EXPECT_EQ(settings->problems()[0].place, "flashphoner.properties:2");
    EXPECT_EQ(settings->problems()[0].text, "http.port: 'many' is not a whole number");
}

TEST(Settings, ABadAliasOfSeveralPluginsIsOneProblem) {
    static constexpr Key one = Key::duration("limit", "1").aka("webm_cluster_duration_limit");
    static constexpr Key two = Key::duration("limit", "1").aka("webm_cluster_duration_limit");
    const std::array<const td_key*, 1> one_keys{&one}, two_keys{&two};
    SettingsSource source("/home", "webm_cluster_duration_limit = x");
    source.declare("writer.webm", "", one_keys);
    source.declare("writer.webm_lavf", "", two_keys);
    EXPECT_EQ(source.current()->problems().size(), 1u);
}

TEST(Settings, ValuesOfAPluginThatIsOffAreNoProblem) {
    SettingsSource source("/home", "storage.s3.secret = x\n");
    sample::declare(source);
    EXPECT_THAT(source.current()->problems(), IsEmpty());
    source.declare("storage.s3", "A bucket", sample::s3_keys, true);
    ASSERT_EQ(source.current()->problems().size(), 1u);
    EXPECT_EQ(source.current()->problems()[0].text, "storage.s3.secret: the value is not a whole number");
}

TEST(Settings, MissingRequiredKeysAreListed) {
    SettingsSource source("/home", "");
    sample::declare(source);
    EXPECT_THAT(source.current()->missing("storage.s3"), ElementsAre("storage.s3.bucket"));
    EXPECT_THAT(source.current()->missing("writer.mp4"), IsEmpty());
    SettingsSource with("/home", "storage.s3.bucket = tapes\n");
    sample::declare(with);
    EXPECT_THAT(with.current()->missing("storage.s3"), IsEmpty());
}

TEST(Settings, FamiliesGiveTheirMembers) {
    const TemporaryFolder folder;
    const std::vector<std::string> overrides{"prefer.ts=b"};
    SettingsSource source("/home", folder.write("x", "prefer.webm = a\nprefer.ts = a\nprefer. = c\n"), overrides);
    EXPECT_THAT(source.current()->family("prefer."), ElementsAre(Pair("ts", "b"), Pair("webm", "a")));
}

TEST(Settings, AMistakeInTheCodeIsNotSilent) {
    SettingsSource source("/home", "");
    sample::declare(source);
    const Scope host(source, "");
    EXPECT_THROW(host.integer(sample::min_space), std::logic_error);
    EXPECT_THROW(host.text(sample::fragment), std::logic_error);
    EXPECT_FALSE(host.find("fragment").has_value());
    EXPECT_EQ(Scope(source, "writer.mp4").find("fragment")->number, 500'000);
}

TEST(Reload, ChangesOnlyReloadKeys) {
    const TemporaryFolder folder;
    const auto file =
        folder.write("flashphoner.properties", "http.port = 1\nrecord_stop_timeout = 1\nrecord_dir = a\n");
    SettingsSource source("/home", file, {});
    sample::declare(source);
    const Scope host(source, "");
    const auto before = source.current();

    folder.write("flashphoner.properties", "http.port = 2\nrecord_stop_timeout = 2\nrecord_streams = true\n");
    const auto result = source.reload();
    EXPECT_THAT(result.changed, ElementsAre("record_stop_timeout"));
    EXPECT_THAT(result.waiting, ElementsAre("http.port", "storage.local.root"));
    EXPECT_EQ(host.duration(sample::stop_timeout), 2s);
    EXPECT_EQ(host.integer(sample::http_port), 1);
    EXPECT_EQ(Scope(source, "storage.local").path(sample::root), "/home/a");
    EXPECT_EQ(before->find("record_stop_timeout")->number, 1'000'000) << "snapshots do not change";

    source.declare("storage.s3", "A bucket", sample::s3_keys, true);
    EXPECT_EQ(host.integer(sample::http_port), 1) << "a plugin found later changes nothing for the others";
}

TEST(Reload, APluginThatWasOffTakesItsNewValues) {
    const TemporaryFolder folder;
    const auto file = folder.write("flashphoner.properties", "storage.s3.secret = 1\n");
    SettingsSource source("/home", file, {});
    sample::declare(source);
    folder.write("flashphoner.properties", "storage.s3.secret = 2\n");
    EXPECT_THAT(source.reload().waiting, IsEmpty());
    source.declare("storage.s3", "A bucket", sample::s3_keys, true);
    EXPECT_EQ(Scope(source, "storage.s3").integer(sample::secret), 2);
}

TEST(Reload, AWrongFileChangesNothing) {
    const TemporaryFolder folder;
    const auto file = folder.write("flashphoner.properties", "record_stop_timeout = 1\n");
    SettingsSource source("/home", file, {});
    sample::declare(source);
    folder.write("flashphoner.properties", "record_stop_timeout = 2\nrecord_streams = perhaps\nhttp.port = -1\n");
    try {
        source.reload();
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(),
                     "flashphoner.properties:2: record_streams: 'perhaps' is neither true nor false\n"
                     "flashphoner.properties:3: http.port: '-1' is out of range; it goes from 0 to 65535");
    }
    EXPECT_EQ(Scope(source, "").duration(sample::stop_timeout), 1s);
    std::filesystem::remove(file);
    EXPECT_THROW(source.reload(), Error);
    EXPECT_EQ(Scope(source, "").duration(sample::stop_timeout), 1s);
}

TEST(Reload, MayHappenWhileOthersRead) {
    const TemporaryFolder folder;
    const auto file = folder.write("flashphoner.properties", "record_stop_timeout = 1\n");
    SettingsSource source("/home", file, {});
    sample::declare(source);
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            const Scope host(source, "");
            while (!stop) {
                const auto seen = host.duration(sample::stop_timeout);
                if (seen != 1s && seen != 2s) ++wrong;
            }
        });
    for (int i = 0; i < 50; ++i) {
        folder.write("flashphoner.properties", i % 2 == 0 ? "record_stop_timeout = 2\n" : "record_stop_timeout = 1\n");
        EXPECT_THAT(source.reload().changed, ElementsAre("record_stop_timeout"));
    }
    stop = true;
    readers.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tapedeck::host
