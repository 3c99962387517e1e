// Each way of moving a file, also those that most file systems never need.
#include "move.hpp"

#include <gtest/gtest.h>

#include "copy.hpp"
#include "folders.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::local {
namespace {

TEST(Move, EveryWayWithinAFileSystemLeavesATakenNameAlone) {
    for (const auto way : {&rename_no_replace, &link_and_remove, &reserve_and_rename}) {
        const TemporaryFolder folder;
        const auto from = write(folder / "from", "new");
        EXPECT_EQ(way(from, folder / "to"), Moved::done);
        EXPECT_EQ(read(folder / "to"), "new");
        write(from, "newer");
        EXPECT_EQ(way(from, folder / "to"), Moved::taken);
        EXPECT_EQ(read(folder / "to"), "new");
        EXPECT_EQ(read(from), "newer");
        EXPECT_EQ(rename_over(from, folder / "to"), Moved::done);
        EXPECT_EQ(files(folder), std::set<std::string>{"to"});
        EXPECT_EQ(read(folder / "to"), "newer");
    }
}

TEST(Move, AWayThatFailsLeavesNothing) {
    for (const auto way : {&rename_no_replace, &link_and_remove, &reserve_and_rename, &rename_over}) {
        const TemporaryFolder folder;
        EXPECT_THROW(way(folder / "lost", folder / "to"), Error);
        EXPECT_TRUE(files(folder).empty());
    }
}

TEST(Move, BetweenFileSystemsNoRenameIsTried) {
    const TemporaryFolder folder;
    const TemporaryFolder ram(other_file_system(folder));
    const auto from = write(ram / "from", "media");
    for (const bool replace : {false, true}) EXPECT_EQ(move_within(from, folder / "to", replace), Moved::unsupported);
    EXPECT_EQ(read(from), "media");
    EXPECT_TRUE(files(folder).empty());
}

TEST(Move, ACopyThatIsCancelledLeavesNothing) {
    const TemporaryFolder folder;
    const auto from = write(folder / "from", std::string(20'000'000, 'm'));
    int pieces = 0;
    try {
        move_across(from, folder / "to", false, [&] { return ++pieces == 2; });
        FAIL() << "it was not stopped";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_CANCELLED);
        EXPECT_TRUE(error.retryable());
    }
    EXPECT_EQ(files(folder), std::set<std::string>{"from"});
}

TEST(Move, ACopyTornByACrashIsMadeAnew) {
    const TemporaryFolder folder;
    const auto from = write(folder / "from", "media");
    write(hidden_name(from, folder / "to"), std::string(5000, 'x'));
    EXPECT_EQ(move_across(from, folder / "to", false, [] { return false; }), Moved::done);
    EXPECT_EQ(files(folder), std::set<std::string>{"to"});
    EXPECT_EQ(read(folder / "to"), "media");
}

TEST(Move, HiddenNamesAreShortAndDifferForEachPair) {
    const fs::path longest = fs::path("/r") / std::string(255, 'x');
    const auto name = hidden_name("/tmp/a", longest).filename().string();
    EXPECT_TRUE(name.starts_with('.'));
    EXPECT_LE(name.size(), 255u);
    EXPECT_NE(hidden_name("/tmp/a", longest), hidden_name("/tmp/b", longest));
    EXPECT_EQ(hidden_name("/tmp/a", longest), hidden_name("/tmp/a", longest));
}

TEST(Move, AFullDiskIsSaidSo) {
    try {
        fail("cannot write", "/records/x.mp4", ENOSPC);
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_NO_SPACE);
        EXPECT_TRUE(error.retryable());
        EXPECT_STREQ(error.what(), "cannot write /records/x.mp4: No space left on device");
    }
}

}  // namespace
}  // namespace tapedeck::local
