// Which recordings are deleted, in which order, and which never.
#include "store/retention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "doubles.hpp"
#include "store/held_space.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RetentionTest : public ::testing::Test {
protected:
    RetentionTest() : source_(folder_.path, written(""), {}) {
        source_.declare("", "", store_keys);
        fs::create_directories(home_);
        catalog_ = std::make_unique<Catalog>(Scope(source_, ""));
        retention_ = std::make_unique<Retention>(
            Retention::Parts{.settings = Scope(source_, ""),
                             .catalog = *catalog_,
                             .folder = [this] { return is_remote_ ? fs::path() : home_; },
                             .remove = [this](const std::string& key, const std::stop_token&) { remove(key); },
                             .free_bytes = [this](const fs::path& folder) { return free_bytes(folder); }});
    }

    void remove(const std::string& key) {
        if (fails_) throw Error("the disk is read-only", TD_FAILED, true);
        deleted_.push_back(key);
        fs::remove(home_ / key);
        if (free_) *free_ += gains_;
    }
    std::optional<std::uint64_t> free_bytes(const fs::path& folder) const {
        return free_ ? std::optional(*free_ + held_bytes(folder)) : std::nullopt;
    }
    void set(const std::string& settings) {
        written(settings);
        source_.reload();
    }
    fs::path written(const std::string& settings) const {
        std::ofstream(folder_.path / "settings") << settings;
        return folder_.path / "settings";
    }
    /// A file of so many bytes, recorded `hours` ago for no time; gives its row.
    std::int64_t record(const std::string& name, int hours, std::size_t bytes = 100, State state = State::Done) {
        std::ofstream(home_ / name) << std::string(bytes, 'x');
        Entry entry;
        entry.state = state;
        const auto when = std::chrono::system_clock::now() - std::chrono::hours(hours);
        entry.facts.end_us = std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
        entry.facts.row = entry.facts.end_us + ++count_;
        entry.facts.stream = "cam";
        entry.facts.name = name;
        entry.facts.path = (home_ / name).string();
        entry.facts.bytes = bytes;
        if (state == State::Stored) {
            entry.debts.push_back(
                {.target = "hook.x", .event = TD_RECORD_STORED, .attempts = 3, .next_try_us = 0, .detail = {}});
            EXPECT_TRUE(catalog_->claim(name, entry.facts.row));
        }
        catalog_->save(entry);
        return entry.facts.row;
    }
    std::vector<std::string> round() {
        deleted_.clear();
        retention_->round({});
        return deleted_;
    }
    bool is_known(std::int64_t row) { return catalog_->find(row).has_value(); }

    const TemporaryFolder folder_;
    const fs::path home_ = folder_.path / "records";
    SettingsSource source_;
    std::optional<std::uint64_t> free_ = 1'000'000;
    std::uint64_t gains_ = 0;  ///< with each deletion, at once
    bool fails_ = false, is_remote_ = false;
    int count_ = 0;
    std::vector<std::string> deleted_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<Retention> retention_;
};

TEST_F(RetentionTest, DeletesNothingUnlessItIsAskedTo) {
    record("ancient", 100'000);
    free_ = 0;
    EXPECT_THAT(round(), IsEmpty());
}

TEST_F(RetentionTest, DeletesWhatEndedLongerAgoThanTheLimitAndForgetsIt) {
    const auto old = record("old", 49);
    record("older", 50);
    const auto fresh = record("fresh", 47);
    set("retention.max_age = 48h");
    EXPECT_THAT(round(), ElementsAre("older", "old"));
    EXPECT_FALSE(is_known(old));
    EXPECT_TRUE(is_known(fresh));
    EXPECT_THAT(round(), IsEmpty());
}

TEST_F(RetentionTest, DeletesTheOldestUntilTheOthersFit) {
    record("c", 1);
    record("a", 3);
    record("b", 2);
    set("retention.max_bytes = 299");
    EXPECT_THAT(round(), ElementsAre("a"));
    set("retention.max_bytes = 100");
    EXPECT_THAT(round(), ElementsAre("b"));
    EXPECT_THAT(round(), IsEmpty());
}

TEST_F(RetentionTest, DeletesAsMuchAsTheDiskLacks) {
    record("a", 3);
    record("b", 2);
    record("c", 1);
    free_ = 350;
    set("retention.min_free_space = 500");
    EXPECT_THAT(round(), ElementsAre("a", "b"));
    free_ = std::nullopt;  // the system does not say
    EXPECT_THAT(round(), IsEmpty());
}

TEST_F(RetentionTest, DeletesNoMoreWhileADownloadHoldsTheSpace) {
    constexpr std::size_t large = 1 << 20;
    record("a", 3, large);
    record("b", 2, large);
    free_ = 0;
    set("retention.min_free_space = 1m");
    std::ifstream download(home_ / "a");
    EXPECT_THAT(round(), ElementsAre("a"));
    EXPECT_THAT(round(), IsEmpty()) << "the system has nothing back yet";
    download.close();
    EXPECT_THAT(round(), ElementsAre("b")) << "somebody else took the space";
}

TEST_F(RetentionTest, CountsNothingForAFileWithAnotherName) {
    record("a", 3);
    record("b", 2);
    record("c", 1);
    fs::create_hard_link(home_ / "a", folder_.path / "kept");
    free_ = 450;
    set("retention.min_free_space = 500");
    EXPECT_THAT(round(), ElementsAre("a", "b"));
}

TEST_F(RetentionTest, AsksTheSystemAgainAfterEachDeletion) {
    record("a", 3);
    record("b", 2);
    free_ = 350;
    gains_ = 150;  // more than the file was long
    set("retention.min_free_space = 500");
    EXPECT_THAT(round(), ElementsAre("a"));
}

TEST_F(RetentionTest, LearnsOfWhatComesToBeDone) {
    record("a", 3);
    set("retention.max_bytes = 100");
    EXPECT_THAT(round(), IsEmpty());
    record("b", 2);
    EXPECT_THAT(round(), ElementsAre("a"));
}

TEST_F(RetentionTest, NeverDeletesWhatIsOwedToSomebody) {
    record("owed", 100, 100, State::Stored);
    record("running", 100, 100, State::Recording);
    record("broken", 100, 100, State::Quarantined);
    record("done", 99);
    set("retention.max_age = 1h\nretention.max_bytes = 1\nretention.min_free_space = 1g");
    EXPECT_THAT(round(), ElementsAre("done"));
}

TEST_F(RetentionTest, KeepsTheFileOfALaterRecordingOfTheSameName) {
    const auto first = record("same", 100);
    const auto second = record("same", 1, 120);
    set("retention.max_age = 48h");
    EXPECT_THAT(round(), IsEmpty());
    EXPECT_TRUE(is_known(first));
    record("same", 90, 130);  // begun before and finished after the other
    EXPECT_THAT(round(), ElementsAre("same"));
    EXPECT_TRUE(is_known(second));
}

TEST_F(RetentionTest, LeavesANameAloneThatANewRecordingIsAboutToTake) {
    record("same", 100);
    set("retention.max_age = 48h");
    ASSERT_TRUE(catalog_->claim("same", 7));
    EXPECT_THAT(round(), IsEmpty());
    catalog_->release(7);
    EXPECT_THAT(round(), ElementsAre("same"));
    EXPECT_TRUE(catalog_->claim("same", 8)) << "it is free afterwards";
}

TEST_F(RetentionTest, LeavesFilesThatItDidNotRecord) {
    std::ofstream(home_ / "foreign") << "x";
    const auto changed = record("changed", 100);
    std::ofstream(home_ / "changed") << "somebody put another file in its place";
    record("linked", 100);
    fs::remove(home_ / "linked");
    fs::create_symlink(home_ / "foreign", home_ / "linked");
    set("retention.max_age = 1h");
    EXPECT_THAT(round(), IsEmpty());
    EXPECT_TRUE(fs::exists(home_ / "changed"));
    EXPECT_FALSE(is_known(changed)) << "it is not looked at each minute";
}

TEST_F(RetentionTest, LeavesWhatLiesInAFolderThatWasSetBefore) {
    const TemporaryFolder elsewhere;
    Entry entry;
    entry.state = State::Done;
    entry.facts.row = entry.facts.end_us = 1000;
    entry.facts.name = "cam";
    entry.facts.path = (elsewhere.path / "cam").string();
    entry.facts.bytes = 1;
    catalog_->save(entry);
    std::ofstream(elsewhere.path / "cam") << "x";
    std::ofstream(home_ / "cam") << "x";
    set("retention.max_age = 1h");
    EXPECT_THAT(round(), IsEmpty());
    EXPECT_TRUE(fs::exists(home_ / "cam"));
    EXPECT_TRUE(fs::exists(elsewhere.path / "cam"));
}

TEST_F(RetentionTest, CountsNoFilesThatSomebodyTookAway) {
    record("a", 5);
    const auto taken = record("taken", 4, 1000);
    record("b", 3);
    fs::remove(home_ / "taken");
    set("retention.max_bytes = 200");
    EXPECT_THAT(round(), IsEmpty());
    set("retention.max_age = 1h");
    EXPECT_THAT(round(), ElementsAre("a", "b"));
    EXPECT_FALSE(is_known(taken));
}

TEST_F(RetentionTest, AsksAStorageWithoutAFolderToRemoveItsFiles) {
    is_remote_ = true;
    record("a", 2);
    record("b", 1);
    fs::remove(home_ / "a");
    free_ = 0;
    set("retention.max_bytes = 150\nretention.min_free_space = 1g");
    EXPECT_THAT(round(), ElementsAre("a"));
}

TEST_F(RetentionTest, TriesAgainWhatCouldNotBeRemoved) {
    const auto row = record("a", 5);
    set("retention.max_age = 1h");
    fails_ = true;
    EXPECT_THAT(round(), IsEmpty());
    EXPECT_TRUE(is_known(row));
    EXPECT_TRUE(catalog_->claim("a", 8)) << "the name is free meanwhile";
    catalog_->release(8);
    fails_ = false;
    EXPECT_THAT(round(), ElementsAre("a"));
}

TEST_F(RetentionTest, KnowsWhatManyEarlierRecordingsAre) {
    for (int n = 0; n < 600; ++n) record("file" + std::to_string(n), 1000 - n, 10);
    set("retention.max_bytes = 5990");
    EXPECT_THAT(round(), ElementsAre("file0"));
}

}  // namespace
}  // namespace tapedeck::host::test
