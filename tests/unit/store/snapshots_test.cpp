// Who gets which snapshot of a recording that grows, and how long they are kept.
#include "store/snapshots.hpp"

#include <gtest/gtest.h>

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using Viewer = Snapshots::Viewer;

class SnapshotsTest : public ::testing::Test {
protected:
    /// Keeps one as made at that time.
    Snapshots::Pointer keep(const std::string& what, std::chrono::seconds at, std::uint64_t memory = 1) {
        auto made = std::make_shared<api::RecordCuts::Snapshot>();
        snapshots_.keep(what, made, memory, begin_ + at);
        return made;
    }
    Snapshots::Pointer find(const std::string& what, const char* client, bool goes_on, std::chrono::seconds at) {
        return snapshots_.find(what, {client, goes_on}, begin_ + at);
    }

    const Snapshots::Clock::time_point begin_ = Snapshots::Clock::now();
    Snapshots snapshots_;
};

TEST_F(SnapshotsTest, GivesWhoGoesOnWhatItGotBefore) {
    const auto first = keep("film", 0s);
    EXPECT_EQ(find("film", "a", false, 0s), first);
    EXPECT_EQ(find("film", "a", false, 5s), nullptr) << "who begins anew gets a newer one";
    const auto second = keep("film", 5s);
    EXPECT_EQ(find("film", "b", false, 5s), second);
    EXPECT_EQ(find("film", "a", true, 300s), first);
    EXPECT_EQ(find("film", "b", true, 300s), second);
    EXPECT_EQ(find("film", "a", false, 6s), second) << "made a moment ago";
    EXPECT_EQ(find("film", "a", true, 300s), second);
    EXPECT_EQ(find("film", "stranger", true, 300s), nullptr);
    EXPECT_EQ(find("other film", "a", true, 6s), nullptr);
}

TEST_F(SnapshotsTest, DropsWhatNobodyWillAskForAgain) {
    keep("film", 0s);
    find("film", "a", false, 0s);
    keep("unseen", 0s);
    snapshots_.drop_old(begin_ + 5s);
    EXPECT_EQ(snapshots_.size(), 1u) << "nobody got the other one";
    find("film", "a", true, 500s);
    snapshots_.drop_old(begin_ + 700s);
    EXPECT_EQ(snapshots_.size(), 1u);
    snapshots_.drop_old(begin_ + 1101s);
    EXPECT_EQ(snapshots_.size(), 0u);
}

TEST_F(SnapshotsTest, KeepsNoMoreThanItsLimits) {
    for (int i = 0; i < 150; ++i) {
        keep(std::to_string(i), 0s);
        find(std::to_string(i), "a", false, std::chrono::seconds(i == 7 ? 1 : 0));
    }
    EXPECT_EQ(snapshots_.size(), Snapshots::most);
    EXPECT_NE(find("7", "a", true, 1s), nullptr) << "this one was asked for last";
    EXPECT_EQ(find("8", "a", true, 1s), nullptr);
    keep("large", 1s, Snapshots::most_memory);
    EXPECT_EQ(snapshots_.size(), 1u) << "the newest stays";
}

TEST_F(SnapshotsTest, CountsWhatIsStillBeingSent) {
    api::FileParts sent;
    for (const char* name : {"one", "two", "three"}) {
        snapshots_.require_room();
        auto made = std::make_shared<api::RecordCuts::Snapshot>();
        made->files = {{std::make_shared<api::OpenFile>(-1), 0, 1}};
        sent.push_back(made->files.front());
        snapshots_.keep(name, made, Snapshots::most_memory, begin_);
    }
    EXPECT_EQ(snapshots_.size(), 1u);
    EXPECT_THROW(snapshots_.require_room(), Error);
    sent.clear();
    snapshots_.require_room();
}

}  // namespace
}  // namespace tapedeck::host::test
