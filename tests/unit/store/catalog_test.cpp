#include "store/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto limit = 30s;

class CatalogTest : public ::testing::Test {
protected:
    CatalogTest() : source_(folder_.path, "") { source_.declare("", "", store_keys); }

    Entry entry(std::int64_t row, State state = State::Recording) const {
        Entry made;
        made.state = state;
        made.facts.row = row;
        made.facts.stream = "cam";
        made.facts.media_session = "s";
        made.facts.name = "cam.mp4";
        return made;
    }
    static Debt debt(const char* target, std::uint32_t attempts = 0) {
        Debt made;
        made.target = target;
        made.event = TD_RECORD_STORED;
        made.attempts = attempts;
        made.next_try_us = 12'345;
        return made;
    }
    fs::path database() const { return folder_.path / "state" / "catalogue.db"; }

    const TemporaryFolder folder_;
    SettingsSource source_;
};

TEST_F(CatalogTest, GivesTheNextProcessWhatIsNotDoneAndItsDebts) {
    std::int64_t first = 0;
    {
        Catalog catalog(Scope(source_, ""));
        first = catalog.next_row();
        Entry stored = entry(first, State::Stored);
        stored.facts.stream = "\xff\n";
        stored.debts = {debt("hook.a"), debt("hook.b")};
        catalog.save(stored);
        catalog.update(first, debt("hook.b", 3));
        catalog.settle(first, debt("hook.a"));
        for (const State over : {State::Done, State::Failed, State::Quarantined}) {
            const std::int64_t row = catalog.next_row();
            catalog.save(entry(row));
            catalog.save(entry(row, over));
        }
        const std::int64_t empty = catalog.next_row();
        catalog.save(entry(empty));
        catalog.forget(empty);
        ASSERT_TRUE(catalog.wait(limit));
    }
    Catalog catalog(Scope(source_, ""));
    const auto left = catalog.unfinished({});
    ASSERT_THAT(left, SizeIs(1));
    EXPECT_EQ(left[0].facts.row, first);
    EXPECT_EQ(left[0].facts.stream, "\xff\n");
    EXPECT_EQ(left[0].state, State::Stored);
    ASSERT_THAT(left[0].debts, SizeIs(1));
    EXPECT_EQ(left[0].debts[0].target, "hook.b");
    EXPECT_EQ(left[0].debts[0].attempts, 3u);
    EXPECT_EQ(left[0].debts[0].next_try_us, 12'345);
    EXPECT_GT(catalog.next_row(), first);
    EXPECT_THAT(catalog.list("s", 10), SizeIs(4));
    EXPECT_THAT(catalog.list("", 2), SizeIs(2));
    EXPECT_THAT(catalog.list("other", 10), IsEmpty());
    EXPECT_EQ(catalog.find(first)->facts.row, first);
    EXPECT_FALSE(catalog.find(1));
}

TEST_F(CatalogTest, CallsBackInOrderAfterTheCommit) {
    Catalog catalog(Scope(source_, ""));
    std::vector<int> order;
    std::promise<void> done;
    const std::int64_t row = catalog.next_row();
    for (int n = 0; n < 100; ++n) {
        catalog.save(entry(row, State::Named), [&, n] {
            order.push_back(n);
            if (n == 99) done.set_value();
        });
    }
    done.get_future().wait();
    EXPECT_THAT(order, SizeIs(100));
    EXPECT_TRUE(std::ranges::is_sorted(order));
    EXPECT_EQ(catalog.find(row)->state, State::Named);
}

TEST_F(CatalogTest, ReservesANameForOneRowUntilItIsOver) {
    {
        Catalog catalog(Scope(source_, ""));
        ASSERT_TRUE(catalog.wait_loaded(limit));
        const std::int64_t one = catalog.next_row(), other = catalog.next_row();
        EXPECT_TRUE(catalog.claim("cam.mp4", one));
        EXPECT_TRUE(catalog.claim("cam.mp4", one));
        EXPECT_FALSE(catalog.claim("cam.mp4", other));
        EXPECT_TRUE(catalog.claim("cam-2.mp4", one));  // gives the first name back
        EXPECT_TRUE(catalog.claim("cam.mp4", other));
        catalog.save(entry(other, State::Stored));
        EXPECT_TRUE(catalog.is_claimed("cam.mp4"));
        EXPECT_TRUE(catalog.wait(limit));
    }
    Catalog catalog(Scope(source_, ""));
    ASSERT_TRUE(catalog.wait_loaded(limit));
    EXPECT_TRUE(catalog.is_claimed("cam.mp4"));
    EXPECT_FALSE(catalog.is_claimed("cam-2.mp4"));
    auto left = catalog.unfinished({});
    ASSERT_THAT(left, SizeIs(1));
    left[0].state = State::Done;
    catalog.save(left[0]);
    EXPECT_FALSE(catalog.is_claimed("cam.mp4"));
}

TEST_F(CatalogTest, BeginsAnewWithWhatItKnowsWhenTheFileIsDeletedUnderIt) {
    Catalog catalog(Scope(source_, ""));
    const std::int64_t first = catalog.next_row();
    catalog.save(entry(first));
    ASSERT_TRUE(catalog.wait(limit));
    fs::remove_all(folder_.path / "state");
    const std::int64_t second = catalog.next_row();
    catalog.save(entry(second));
    ASSERT_TRUE(catalog.wait(limit));
    EXPECT_TRUE(fs::exists(database()));
    EXPECT_THAT(catalog.list("s", 10), SizeIs(2));
}

TEST_F(CatalogTest, MovesADamagedDatabaseAside) {
    {
        Catalog catalog(Scope(source_, ""));
        for (int n = 0; n < 200; ++n) catalog.save(entry(catalog.next_row()));
        ASSERT_TRUE(catalog.wait(limit));
    }
    {
        std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
        for (std::streamoff at = 4096 + 8; at < static_cast<std::streamoff>(fs::file_size(database())); at += 4096) {
            file.seekp(at);
            file << "damaged here";
        }
    }
    Catalog catalog(Scope(source_, ""));
    EXPECT_THAT(catalog.unfinished({}), IsEmpty());
    catalog.save(entry(catalog.next_row()));
    ASSERT_TRUE(catalog.wait(limit));
    EXPECT_THAT(catalog.list("s", 300), SizeIs(1));
    std::size_t aside = 0;
    for (const auto& one : fs::directory_iterator(folder_.path / "state")) {
        if (one.path().filename().string().starts_with("catalogue.db.damaged-")) ++aside;
    }
    EXPECT_EQ(aside, 1u);
}

TEST_F(CatalogTest, WaitsForADatabaseThatCannotBeReachedAndLosesNothing) {
    std::ofstream(folder_.path / "state") << "a file where the folder should be";
    Catalog catalog(Scope(source_, ""));
    std::promise<void> committed;
    const std::int64_t row = catalog.next_row();
    catalog.save(entry(row, State::Named), [&] { committed.set_value(); });
    EXPECT_FALSE(catalog.wait_loaded(limit));
    EXPECT_FALSE(catalog.is_reachable());
    EXPECT_TRUE(catalog.claim("cam.mp4", row));
    fs::remove(folder_.path / "state");
    ASSERT_EQ(committed.get_future().wait_for(limit), std::future_status::ready);
    EXPECT_EQ(catalog.find(row)->state, State::Named);
}

TEST_F(CatalogTest, EndsAWaitForADatabaseThatDoesNotCome) {
    std::ofstream(folder_.path / "state") << "a file where the folder should be";
    Catalog catalog(Scope(source_, ""));
    std::stop_source stop;
    auto left = std::async(std::launch::async, [&] { return catalog.unfinished(stop.get_token()); });
    stop.request_stop();
    EXPECT_THAT(left.get(), IsEmpty());
}

}  // namespace
}  // namespace tapedeck::host::test
