// The folder of recordings: R42, R44, and what a crash, another writer and missing rights do to it.
#include "folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "folders.hpp"
#include "move.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::local {
namespace {

bool never() {
    return false;
}

class LocalFolder : public testing::Test {
protected:
    std::string put(const fs::path& file, std::string_view key, bool replace = false) {
        return folder_.put(file, key, replace, never);
    }
    /// The error of a put that must fail.
    Error refused(const fs::path& file, std::string_view key, bool replace = false) {
        try {
            put(file, key, replace);
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << key << " was taken";
        return Error("none");
    }

    TemporaryFolder home_;
    fs::path root_ = home_ / "records";
    Folder folder_{root_};
    fs::path part_ = write(home_ / "tmp/x.part.mp4", "media");
};

TEST_F(LocalFolder, TakesAFileUnderItsKeyAndMakesTheFolders) {
    EXPECT_FALSE(fs::exists(root_)) << "nothing is touched before it is used";
    EXPECT_EQ(put(part_, "cam1/2026/x.mp4"), "file://" + (root_ / "cam1/2026/x.mp4").string());
    EXPECT_EQ(read(root_ / "cam1/2026/x.mp4"), "media");
    EXPECT_FALSE(fs::exists(part_));
    EXPECT_EQ(files(home_), std::set<std::string>{"records/cam1/2026/x.mp4"});
}

TEST_F(LocalFolder, DoesNotReplaceUnlessToldSo) {
    write(root_ / "x.mp4", "earlier");
    const auto error = refused(part_, "x.mp4");
    EXPECT_EQ(error.status(), TD_EXISTS);
    EXPECT_NE(std::string(error.what()).find((root_ / "x.mp4").string()), std::string::npos);
    EXPECT_EQ(read(root_ / "x.mp4"), "earlier");
    EXPECT_EQ(read(part_), "media");
    put(part_, "x.mp4", true);
    EXPECT_EQ(read(root_ / "x.mp4"), "media");
}

TEST_F(LocalFolder, AnswersTheSameWhenAskedAgainAfterACrash) {
    const auto uri = put(part_, "x.mp4");
    EXPECT_EQ(put(part_, "x.mp4"), uri) << "the file is gone and the key is there";
    EXPECT_EQ(put(part_, "x.mp4", true), uri);
}

TEST_F(LocalFolder, FinishesWhatACrashLeftBetweenTwoSteps) {
    fs::create_directories(root_);
    fs::create_hard_link(part_, root_ / "linked.mp4");  // killed between link and remove
    put(part_, "linked.mp4");
    EXPECT_FALSE(fs::exists(part_));
    EXPECT_EQ(read(root_ / "linked.mp4"), "media");

    write(part_, "media");
    fs::copy_file(part_, root_ / "copied.mp4");  // killed between the copy's last step and the removal
    fs::last_write_time(root_ / "copied.mp4", fs::last_write_time(part_));
    put(part_, "copied.mp4");
    EXPECT_FALSE(fs::exists(part_));
    EXPECT_EQ(read(root_ / "copied.mp4"), "media");

    write(part_, "other");
    write(root_ / "foreign.mp4", "media");  // as long and as old, but another recording
    fs::last_write_time(root_ / "foreign.mp4", fs::last_write_time(part_));
    EXPECT_EQ(refused(part_, "foreign.mp4").status(), TD_EXISTS);
    EXPECT_EQ(read(part_), "other");
}

TEST_F(LocalFolder, NeverRemovesAFileThatIsAlreadyInItsPlace) {
    write(root_ / "x.mp4", "media");
    fs::create_directory_symlink(root_, home_ / "alias");
    for (const auto& same : {root_ / "x.mp4", home_ / "alias" / "x.mp4", root_ / "." / "x.mp4"}) {
        put(same, "x.mp4");
        EXPECT_EQ(read(root_ / "x.mp4"), "media") << same;
    }
}

TEST_F(LocalFolder, SaysWhenFileAndKeyAreBothGone) {
    const auto error = refused(home_ / "lost.mp4", "x.mp4");
    EXPECT_EQ(error.status(), TD_NOT_FOUND);
    EXPECT_FALSE(error.retryable());
}

TEST_F(LocalFolder, RefusesKeysThatWouldLeaveIt) {
    for (const std::string& key : {std::string(), std::string("../x"), std::string("a/../../x"), std::string("/etc/x"),
                                   std::string("a//b"), std::string("a/"), std::string("."), std::string("a\0b", 3)}) {
        const auto error = refused(part_, key);
        EXPECT_EQ(error.status(), TD_MALFORMED) << key;
        EXPECT_THROW(folder_.remove(key), Error) << key;
    }
    EXPECT_EQ(read(part_), "media");
}

TEST_F(LocalFolder, RemovesAKeyOnceAndForAll) {
    put(part_, "a/x.mp4");
    folder_.remove("a/x.mp4");
    EXPECT_TRUE(files(root_).empty());
    folder_.remove("a/x.mp4");
    folder_.remove("never/there.mp4");
}

TEST_F(LocalFolder, NamesTheFolderAndTheUserWhoMayNotWriteIt) {
    fs::create_directories(root_);
    fs::permissions(root_, fs::perms(0555));
    fs::permissions(home_.path(), fs::perms(0755));
    fs::permissions(part_.parent_path(), fs::perms(0777));
    const WithoutRoot nobody;
    for (const std::string key : {"x.mp4", "folder/x.mp4"}) {
        const auto error = refused(part_, key);
        EXPECT_EQ(error.status(), TD_DENIED);
        EXPECT_TRUE(error.retryable()) << "the operator may put it right";
        const std::string text = error.what();
        EXPECT_NE(text.find("Permission denied for user "), std::string::npos) << text;
        EXPECT_NE(text.find(root_.string() + " belongs to "), std::string::npos) << text;
        EXPECT_NE(text.find("with rights 555"), std::string::npos) << text;
    }
    EXPECT_EQ(read(part_), "media");
}

TEST_F(LocalFolder, SaysThatAFileStandsWhereAFolderIsWanted) {
    write(root_ / "cam1", "a recording without extension");
    const auto error = refused(part_, "cam1/x.mp4");
    EXPECT_TRUE(error.retryable());
    EXPECT_NE(std::string(error.what()).find((root_ / "cam1").string() + ": Not a directory"), std::string::npos)
        << error.what();
    fs::create_directories(root_ / "x.mp4");
    EXPECT_EQ(refused(part_, "x.mp4").status(), TD_EXISTS) << "a folder has the key";
    EXPECT_EQ(refused(part_, "x.mp4", true).status(), TD_EXISTS);
}

TEST_F(LocalFolder, DoesNotTryForEverWhatNoFileSystemTakes) {
    const auto error = refused(part_, std::string(300, 'x'));
    EXPECT_FALSE(error.retryable()) << error.what();
    EXPECT_EQ(read(part_), "media");
}

TEST_F(LocalFolder, TakesFilesFromAnotherFileSystem) {
    const TemporaryFolder ram(other_file_system(home_));
    const auto source = write(ram / "x.part.mp4", std::string(20'000'000, 'm'));
    fs::permissions(source, fs::perms(0640));
    const auto time = fs::last_write_time(source);
    EXPECT_EQ(put(source, "cam/x.mp4"), "file://" + (root_ / "cam/x.mp4").string());
    EXPECT_EQ(read(root_ / "cam/x.mp4"), std::string(20'000'000, 'm'));
    EXPECT_EQ(fs::last_write_time(root_ / "cam/x.mp4"), time);
    EXPECT_EQ(fs::status(root_ / "cam/x.mp4").permissions(), fs::perms(0640));
    EXPECT_FALSE(fs::exists(source));

    write(source, "second");
    EXPECT_EQ(refused(source, "cam/x.mp4").status(), TD_EXISTS);
    put(source, "cam/x.mp4", true);
    EXPECT_EQ(read(root_ / "cam/x.mp4"), "second");
    EXPECT_EQ(files(root_), std::set<std::string>{"cam/x.mp4"}) << "no hidden copy is left";
}

}  // namespace
}  // namespace tapedeck::local
