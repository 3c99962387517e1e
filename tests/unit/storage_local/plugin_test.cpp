// The plugin as the host sees it.
#include "tapedeck/plugin.hpp"

#include <gtest/gtest.h>

#include "folders.hpp"
#include "testkit/fake_host.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::local {
namespace {

TEST(LocalStorage, StoresInTheFolderThatIsSet) {
    const TemporaryFolder home;
    testkit::FakeHost host(*TD_ENTRY.extensions[0]);
    const auto& table = *static_cast<const td_storage*>(TD_ENTRY.extensions[0]->table);
    host.settings.home(home.path().string());
    td_error error = empty_error();
    void* self = nullptr;
    ASSERT_EQ(table.create(host.table(), host.context(), &self, &error), TD_OK) << error.text;
    EXPECT_TRUE(files(home).empty());

    std::string folder(500, '\0');
    std::size_t written = 0;
    ASSERT_EQ(table.folder(self, nullptr, folder.data(), folder.size(), &written, &error), TD_OK) << error.text;
    EXPECT_EQ(folder.substr(0, written), home / "records") << "the default, below the home folder";

    const auto path = write(home / "x.part.mp4", "media").string();
    td_recording recording{};
    recording.size = sizeof recording;
    recording.path = text_of(path);
    std::string uri(500, '\0');
    ASSERT_EQ(table.put(self, &recording, text_of("a/x.mp4"), 0, uri.data(), uri.size(), &written, &error), TD_OK)
        << error.text;
    EXPECT_EQ(uri.substr(0, written), "file://" + (home / "records/a/x.mp4").string());
    write(path, "more");
    EXPECT_EQ(table.put(self, &recording, text_of("a/x.mp4"), 0, uri.data(), uri.size(), &written, &error), TD_EXISTS);
    EXPECT_EQ(table.put(self, &recording, text_of("a/x.mp4"), TD_PUT_REPLACE, uri.data(), uri.size(), &written, &error),
              TD_OK);
    EXPECT_EQ(read(home / "records/a/x.mp4"), "more");
    EXPECT_EQ(table.remove(self, text_of("a/x.mp4"), &error), TD_OK);
    EXPECT_TRUE(files(home).empty());
    table.destroy(self);
}

TEST(LocalStorage, KnowsFlashphonersName) {
    const auto& extension = *TD_ENTRY.extensions[0];
    ASSERT_EQ(extension.key_count, 1u);
    EXPECT_STREQ(extension.keys[0]->alias, "record_dir");
    EXPECT_STREQ(extension.keys[0]->fallback, "records");
}

}  // namespace
}  // namespace tapedeck::local
