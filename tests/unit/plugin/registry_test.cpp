#include "plugin/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/hook.hpp"
#include "plugin/host_table.hpp"
#include "plugin/naming.hpp"
#include "plugin/protocol.hpp"
#include "plugin/storage.hpp"
#include "temporary_folder.hpp"

namespace fs = std::filesystem;

namespace tapedeck::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "(nothing was thrown)";
}

/// One that outlives the process' plugins, as those of a server do.
Services& services() {
    static auto& all = *new Services;
    return all;
}

/// A server's plugin folder and configuration.
struct Server {
    explicit Server(std::string_view text = "") : source(*new SettingsSource("/home/tapedeck", text)) {
        declare_plugin_keys(source);
        registry.emplace(PROBE_HOST, source, services(), std::chrono::seconds(60));
    }
    void start() {
        registry->search(folder.path());
        registry->choose();
    }
    std::vector<std::string> active() const {
        std::vector<std::string> names;
        for (const Extension* extension : registry->all()) names.push_back(extension->name());
        return names;
    }

    TemporaryFolder folder;
    SettingsSource& source;  // never freed: contexts of loaded plugins refer to it
    std::optional<Registry> registry;
};

td_stream_info stream(std::string_view name) {
    td_stream_info info{};
    info.size = sizeof info;
    info.name = {name.data(), name.size()};
    return info;
}

td_event stored() {
    td_event event{};
    event.size = sizeof event;
    event.kind = TD_RECORD_STORED;
    event.attempt = 1;
    return event;
}

td_recording recording() {
    td_recording facts{};
    facts.size = sizeof facts;
    return facts;
}

TEST(Registry, UsesEverythingThatLoadsAndLacksNothing) {
    Server server;
    for (const char* plugin : {"good_hook", "good_required", "bad_text", "bad_crash_on_load", "bad_not_a_plugin"})
        server.folder.add(plugin);
    server.start();
    EXPECT_THAT(server.active(), ElementsAre("hook.good"));
    const Extension* good = server.registry->find("hook", "good");
    ASSERT_NE(good, nullptr);
    EXPECT_EQ(good->file, server.folder.path() / "good_hook.so");
    EXPECT_STREQ(good->plugin->name, "good-hook");
    EXPECT_EQ(server.registry->find("storage", "bucket"), nullptr);
    EXPECT_EQ(server.registry->find("writer", "good"), nullptr);
}

TEST(Registry, TurnsOnWhatHasItsRequiredSetting) {
    Server server("storage.bucket.bucket = tapes");
    server.folder.add("good_required");
    server.start();
    ASSERT_THAT(server.active(), ElementsAre("storage.bucket"));
    const Storage storage(*server.registry->find("storage", "bucket"));
    EXPECT_EQ(storage.put(recording(), "cam/1.mp4", false), "bucket:cam/1.mp4");
    EXPECT_EQ(storage.folder(), std::nullopt);
}

TEST(Registry, RefusesToStartWithoutAnEnabledPlugin) {
    Server server("enable = hook.good, hook.gone, hook.never\n");
    server.folder.add("good_hook");
    server.folder.add("bad_crash_on_load", "never.so");
    EXPECT_EQ(message_of([&] { server.start(); }),
              "enable: hook.gone: no plugin file offers it; did you mean 'hook.good'?\n"
              "enable: hook.never: never.so: crashed while being probed: Segmentation fault");
    EXPECT_THAT(server.active(), testing::IsEmpty());
}

TEST(Registry, UsesNeitherOfTwoWithOneIdUntilToldWhich) {
    Server undecided;
    undecided.folder.add("good_hook");
    undecided.folder.add("bad_same_id");
    undecided.start();
    EXPECT_THAT(undecided.active(), testing::IsEmpty());
    EXPECT_THAT(undecided.registry->listing(),
                HasSubstr("several files offer it; say which: plugin.hook.good = good_hook.so"));

    Server decided("plugin.hook.good = bad_same_id.so");
    decided.folder.add("good_hook");
    decided.folder.add("bad_same_id");
    decided.start();
    ASSERT_THAT(decided.active(), ElementsAre("hook.good"));
    const Hook hook(*decided.registry->find("hook", "good"));
    EXPECT_EQ(hook.admit(TD_PUBLISH, stream("cam")), "the other one denies");
}

TEST(Registry, SearchesFurtherFolders) {
    const TemporaryFolder further;
    further.add("good_hook");
    Server server("plugin_path = " + further.path().string());
    server.folder.add("good_required");
    server.start();
    EXPECT_THAT(server.active(), ElementsAre("hook.good"));
    Server wrong("plugin_path = /nowhere/plugins");
    EXPECT_EQ(message_of([&] { wrong.start(); }), "plugin_path: /nowhere/plugins: No such file or directory");
}

TEST(Registry, ListsEveryFileWithItsKindsOrTheReason) {
    Server server("enable = hook.good");
    for (const char* plugin : {"good_hook", "good_required", "bad_text", "bad_unknown_kind"}) server.folder.add(plugin);
    server.start();
    const std::string folder = server.folder.path().string();
    EXPECT_EQ(server.registry->listing(),
              folder +
                  "/bad_text.so\n"
                  "  refused: bad_text.so: not a shared library\n" +
                  folder +
                  "/bad_unknown_kind.so\n"
                  "  thing 1.0.0, example.org, MIT: Half of it is unknown\n"
                  "  - hook.plain               A plain hook (not enabled)\n"
                  "  - tapedeck.thing/2 x       From a later SDK (not supported by this host)\n"
                  "  warning: bad_unknown_kind.so: tapedeck.thing/2 x: not supported by this host\n" +
                  folder +
                  "/good_hook.so\n"
                  "  good-hook 1.2.3, example.org, MIT: A hook that works\n"
                  "  + hook.good                Says what it was told\n" +
                  folder +
                  "/good_required.so\n"
                  "  bucket 1.0.0, example.org, MIT: A storage with a required setting\n"
                  "  - storage.bucket           Needs to be told where (not enabled)\n");
}

TEST(Registry, RefusesAPluginWhoseDefaultsDoNotParse) {
    Server server;
    server.folder.add("bad_default");
    server.start();
    EXPECT_THAT(server.active(), testing::IsEmpty());
    EXPECT_THAT(
        server.registry->files().at(0).verdict.message,
        testing::AllOf(HasSubstr("bad_default.so: "), HasSubstr("hook.wrong_default.delay"), HasSubstr("soon")));
}

TEST(Registry, PicksUpNewFilesLater) {
    Server server;
    server.folder.add("good_hook");
    server.start();
    const Extension* before = server.registry->find("hook", "good");
    server.folder.add("bad_slow_hook");
    server.registry->search(server.folder.path());
    const auto fresh = server.registry->choose();
    ASSERT_EQ(fresh.size(), 1u);
    EXPECT_EQ(fresh[0]->name(), "hook.slow");
    EXPECT_EQ(server.registry->find("hook", "good"), before);
}

TEST(Registry, FollowsTheConfigurationWhenItIsReadAgain) {
    const TemporaryFolder folder;
    folder.add("good_hook");
    folder.add("bad_slow_hook");
    const fs::path file = folder.write("tapedeck.properties", "enable = hook.good\n");
    auto& source = *new SettingsSource(folder.path(), file, {});  // never freed, as above
    declare_plugin_keys(source);
    Registry registry(PROBE_HOST, source, services(), std::chrono::seconds(60));
    const auto reload = [&](const std::string& text) {
        folder.write("tapedeck.properties", text);
        source.reload();
        registry.search(folder.path());
        return registry.choose();
    };
    registry.search(folder.path());
    ASSERT_EQ(registry.choose().size(), 1u);
    const Extension* good = registry.find("hook", "good");
    ASSERT_NE(good, nullptr);

    const auto fresh = reload("enable = hook.slow\n");
    ASSERT_EQ(fresh.size(), 1u);
    EXPECT_EQ(fresh[0]->name(), "hook.slow");
    EXPECT_EQ(registry.find("hook", "good"), nullptr);
    EXPECT_THROW(reload("enable = hook.slow, hook.gone\n"), Error);
    EXPECT_NE(registry.find("hook", "slow"), nullptr) << "an error changes nothing";
    EXPECT_THAT(reload("enable = hook.slow, hook.good\n"), ElementsAre(good)) << "the same as before";
}

TEST(Registry, LooksAgainAtAFileThatWasReplacedBeforeItWasUsed) {
    Server server;
    server.folder.write("late.so", "half of it is still being copied");
    server.start();
    EXPECT_FALSE(server.registry->files().at(0).verdict.loads);
    fs::remove(server.folder.path() / "late.so");
    server.folder.add("good_hook", "late.so");
    server.start();
    EXPECT_THAT(server.active(), ElementsAre("hook.good"));
    EXPECT_EQ(server.registry->files().size(), 1u);
}

TEST(Registry, KnowsTheSettingsOfPluginsThatAreNotEnabled) {
    Server server("enable = hook.good\nstorage.bucket.bucket = tapes\nhook.good.greetnig = hi\n");
    server.folder.add("good_hook");
    server.folder.add("good_required");
    server.start();
    const CheckReport report = check(*server.source.current());
    ASSERT_EQ(report.errors.size(), 1u) << report.text();
    EXPECT_THAT(report.errors[0], HasSubstr("did you mean 'hook.good.greeting'"));
}

TEST(Registry, KeepsPluginsWithClassesOfOneNameApart) {
    Server server;
    server.folder.add("good_alike_a");
    server.folder.add("good_alike_b");
    server.start();
    ASSERT_THAT(server.active(), ElementsAre("hook.alike_a", "hook.alike_b"));
    const Extension &a = *server.registry->find("hook", "alike_a"), &b = *server.registry->find("hook", "alike_b");
    EXPECT_STREQ(a.declared->keys[0]->name, "of_a");
    EXPECT_STREQ(b.declared->keys[0]->name, "of_b");
    EXPECT_EQ(Hook(a).admit(TD_PUBLISH, stream("cam")), "a 1");
    EXPECT_EQ(Hook(b).admit(TD_PUBLISH, stream("cam")), "b 2");
}

TEST(Handles, TurnFailuresIntoErrorsThatNameThePlugin) {
    Server server;
    server.folder.add("bad_throws");
    server.start();
    const Registry& registry = *server.registry;
    const Naming naming(*registry.find("naming", "throws"));
    EXPECT_EQ(message_of([&] { naming.name(recording()); }), "naming throws: name: no name today");
    const Storage storage(*registry.find("storage", "throws"));
    try {
        storage.put(recording(), "cam1/3.mp4", false);
        FAIL() << "put succeeded";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "storage throws: put cam1/3.mp4: 503 Slow Down");
        EXPECT_TRUE(error.retryable());
    }
    EXPECT_EQ(message_of([&] { storage.remove("a\nb"); }), "storage throws: remove a?b: no such key");
    const Hook hook(*registry.find("hook", "throws"));
    EXPECT_EQ(message_of([&] { hook.admit(TD_PLAY, stream("x")); }),
              "hook throws: admit: an exception of an unknown type");
    EXPECT_EQ(message_of([&] { hook.event(stored()); }), "hook throws: event: out of memory");
    EXPECT_EQ(message_of([&] { const Protocol protocol(*registry.find("protocol", "throws")); }),
              "protocol throws: create: port 1 is not allowed");
}

TEST(Handles, PassTheDeadlineOfABlockingCallOn) {
    Server server;
    server.folder.add("bad_slow_hook");
    server.start();
    const Hook hook(*server.registry->find("hook", "slow"));
    const BlockingCall call(std::chrono::milliseconds(5));
    EXPECT_EQ(message_of([&] { hook.event(stored()); }), "hook slow: event: gave up");
}

TEST(Handles, TellADenialFromAFailure) {
    Server server;
    server.folder.add("good_hook");
    server.start();
    const Hook hook(*server.registry->find("hook", "good"));
    EXPECT_EQ(hook.admit(TD_PUBLISH, stream("cam")), std::nullopt);
    EXPECT_EQ(hook.admit(TD_PUBLISH, stream("")), "a stream needs a name");
}

TEST(HostTable, AnswersWithDeclaredSettings) {
    Server server("hook.good.patience = 7\nhook.good.folder = logs/out");
    server.folder.add("good_hook");
    server.start();
    const td_context* context = server.registry->find("hook", "good")->context;
    const td_host& host = host_table();
    const auto text = [](std::string_view name) { return td_text{name.data(), name.size()}; };
    std::int64_t number = 0;
    EXPECT_EQ(host.option_int(context, nullptr, text("patience"), &number), TD_OK);
    EXPECT_EQ(number, 7000);
    td_text value{};
    EXPECT_EQ(host.option_text(context, nullptr, text("greeting"), &value), TD_DEFAULT);
    EXPECT_EQ(std::string_view(value.data, value.size), "hello");
    EXPECT_EQ(host.option_text(context, nullptr, text("folder"), &value), TD_OK);
    EXPECT_EQ(std::string_view(value.data, value.size), "/home/tapedeck/logs/out");
    EXPECT_EQ(host.option_text(context, nullptr, text("patience"), &value), TD_OK);
    EXPECT_EQ(host.option_int(context, nullptr, text("greeting"), &number), TD_UNSUPPORTED);
    EXPECT_EQ(host.option_int(context, nullptr, text("secret_of_others"), &number), TD_NOT_FOUND);
    EXPECT_EQ(host.service(context, text(TD_METRICS)), services().find(TD_METRICS));
    EXPECT_EQ(host.cancelled(context), 0);
}

TEST(MetricsService, CountsUnderTapedecksNames) {
    const auto& metrics = *static_cast<const td_metrics*>(services().find(TD_METRICS));
    const auto text = [](std::string_view name) { return td_text{name.data(), name.size()}; };
    void* drops = metrics.counter(text("test_drops_total"), text("reason=\"disk \\\"a\\\"\""), text("Dropped"));
    ASSERT_NE(drops, nullptr);
    EXPECT_EQ(metrics.counter(text("tapedeck_test_drops_total"), text("reason=\"disk \\\"a\\\"\""), text("")), drops);
    metrics.add(drops, 3);
    EXPECT_EQ(metrics.counter(text("drops-total"), text(""), text("")), nullptr);
    EXPECT_EQ(metrics.gauge(text("g"), text("a=\"1\""), text("")) == nullptr, false);
    for (const char* labels : {"a=1", "a=\"1", "a=\"1\",", "=\"1\"", "a=\"1\"b=\"2\""})
        EXPECT_EQ(metrics.gauge(text("g"), text(labels), text("")), nullptr) << labels;
    metrics.add(nullptr, 1);
}

}  // namespace
}  // namespace tapedeck::host
