#include "record/media_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <future>

#include "base/metrics.hpp"
#include "record/error_budget.hpp"

namespace tapedeck::host {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class Task : public MediaTask {
public:
    Task(std::uint64_t device, std::function<void()> body) : device_(device), body_(std::move(body)) {}
    void run() override { body_(); }
    std::uint64_t device() const override { return device_; }

private:
    const std::uint64_t device_;
    const std::function<void()> body_;
};

bool comes(std::promise<void>& promise) {
    return promise.get_future().wait_for(seconds(10)) == std::future_status::ready;
}

TEST(MediaPool, RunsATaskAgainThatWasWokenMeanwhile) {
    std::promise<void> first, go_on, second;
    int runs = 0;
    auto task = std::make_shared<Task>(1, [&] {
        if (++runs == 1) {
            first.set_value();
            go_on.get_future().wait();
        } else {
            second.set_value();
        }
    });
    MediaPool pool(2);
    pool.wake(task);
    ASSERT_TRUE(comes(first));
    pool.wake(task);
    pool.wake(task);
    go_on.set_value();
    ASSERT_TRUE(comes(second)) << "two wakes while it runs are one more run";
}

TEST(MediaPool, CountsTheTimeThatItsTasksUse) {
    const auto& used = metrics::counter("tapedeck_record_cpu_microseconds_total", "", "");
    const std::int64_t before = used;
    {
        std::promise<void> done;
        MediaPool pool(2);
        pool.wake(std::make_shared<Task>(1, [&] {
            const std::clock_t begin = std::clock();  // of the process: CPU, not time
            while (std::clock() - begin < CLOCKS_PER_SEC / 50) {
            }
            done.set_value();
        }));
        ASSERT_TRUE(comes(done));
    }
    EXPECT_GT(used - before, 10'000);
}

TEST(MediaPool, LosesNoWakeUp) {
    constexpr std::size_t tasks = 50;
    MediaPool pool(3);
    std::vector<std::shared_ptr<Task>> all;
    std::vector<std::atomic<int>> runs(tasks);
    for (std::size_t i = 0; i < tasks; ++i) all.push_back(std::make_shared<Task>(i % 3, [&runs, i] { ++runs[i]; }));
    for (std::size_t round = 0; round < 200; ++round) {
        for (std::size_t i = 0; i < tasks; ++i) pool.wake(all[i], (round + i) % 7 == 0);
    }
    for (std::size_t i = 0; i < tasks; ++i) {
        std::promise<void> last;
        pool.wake(std::make_shared<Task>(i % 3, [&] { last.set_value(); }), false);
        ASSERT_TRUE(comes(last)) << "a wake-up after all threads were busy";
    }
    for (const auto& count : runs) EXPECT_GT(count.load(), 0);
}

TEST(MediaPool, AHungDiskLeavesAThreadForTheOthers) {
    std::promise<void> release;
    const auto hang = release.get_future().share();
    std::promise<void> other;
    MediaPool pool(2);
    auto hung = std::make_shared<Task>(1, [hang] { hang.wait(); });
    auto also_hung = std::make_shared<Task>(1, [hang] { hang.wait(); });
    auto healthy = std::make_shared<Task>(2, [&] { other.set_value(); });
    pool.wake(hung);
    pool.wake(also_hung);
    pool.wake(healthy);
    EXPECT_TRUE(comes(other));
    release.set_value();
}

TEST(ErrorBudget, EndsAfterSoManyErrorsWithinTheInterval) {
    const ErrorBudget::TimePoint start{};
    ErrorBudget budget;
    EXPECT_FALSE(budget.spend(start, 3, minutes(60)));
    EXPECT_FALSE(budget.spend(start + minutes(50), 3, minutes(60)));
    EXPECT_FALSE(budget.spend(start + minutes(70), 3, minutes(60))) << "the first one is too old";
    EXPECT_TRUE(budget.spend(start + minutes(100), 3, minutes(60)));
}

}  // namespace
}  // namespace tapedeck::host
