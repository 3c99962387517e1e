#include "event/dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using doubles::Behaviour;
using ::testing::ElementsAre;

constexpr auto limit = 30s;

Event event_of(const std::string& session, const std::string& id) {
    struct Held {
        std::string session;
        td_recording view;
    };
    auto held = std::make_shared<Held>(Held{session, {}});
    held->view.size = sizeof(td_recording);
    held->view.media_session = text_of(held->session);
    return {.kind = TD_RECORD_STORED, .id = id, .recording = {held, &held->view}, .detail = {}};
}

/// Reports of the dispatcher, waited for.
class Reports {
public:
    Dispatcher::Report operator()() {
        return [this](const Dispatcher::Progress& progress) {
            const std::lock_guard lock(mutex_);
            seen_.push_back(progress);
            changed_.notify_all();
        };
    }
    std::vector<Dispatcher::Progress> wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, limit, [&] { return seen_.size() >= count; }));
        return seen_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Dispatcher::Progress> seen_;
};

/// What a hook was called with.
class Calls {
public:
    void add(const td_event& event) {
        const std::lock_guard lock(mutex_);
        seen_.push_back(std::string(view(event.id)) + '#' + std::to_string(event.attempt));
    }
    std::vector<std::string> seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> seen_;
};

TEST(Dispatcher, KeepsTheOrderOfASessionOverRetries) {
    const HookStage stage("hook_retry_delay = 1ms");
    Calls calls;
    Behaviour::of("a").event = [&](Context, const td_event& event) {
        calls.add(event);
        if (event.attempt < 3 && view(event.id) == "1") throw tapedeck::Error(TD_FAILED, "not now", true);
    };
    Dispatcher dispatcher(stage.settings(), stage.hooks(1));
    EXPECT_THAT(dispatcher.targets(), ElementsAre("hook.a"));
    Reports reports;
    for (const char* id : {"1", "2", "3"}) dispatcher.send("hook.a", event_of("s", id), 0, {}, reports());
    using Progress = Dispatcher::Progress;
    std::vector<std::pair<int, std::uint32_t>> seen;
    for (const auto& report : reports.wait(7)) seen.emplace_back(report.outcome, report.attempts);
    EXPECT_THAT(calls.seen(), ElementsAre("1#1", "1#2", "1#3", "2#1", "3#1"));
    EXPECT_THAT(seen, ElementsAre(std::pair(Progress::Retrying, 1u), std::pair(Progress::Begun, 1u),
                                  std::pair(Progress::Retrying, 2u), std::pair(Progress::Begun, 2u),
                                  std::pair(Progress::Delivered, 3u), std::pair(Progress::Delivered, 1u),
                                  std::pair(Progress::Delivered, 1u)));
}

TEST(Dispatcher, AHookThatHangsDelaysNoOtherHookAndNoOtherSession) {
    const HookStage stage("hook_workers = 2");
    std::promise<void> go;
    auto ready = go.get_future().share();
    Behaviour::of("a").event = [&](Context, const td_event& event) {
        if (view(event.id) == "slow") ready.wait();
    };
    Behaviour::of("b").event = [](Context, const td_event&) {};
    Dispatcher dispatcher(stage.settings(), stage.hooks(2));
    Reports slow, others;
    dispatcher.send("hook.a", event_of("s", "slow"), 0, {}, slow());
    dispatcher.send("hook.b", event_of("s", "slow"), 0, {}, others());
    dispatcher.send("hook.a", event_of("t", "other session"), 0, {}, others());
    EXPECT_EQ(others.wait(2).size(), 2u);
    go.set_value();
    slow.wait(1);
}

TEST(Dispatcher, RunsNoMoreCallsAtATimeThanItMay) {
    const HookStage stage("hook_workers = 2");
    std::atomic<int> running = 0, most = 0;
    Behaviour::of("a").event = [&](Context, const td_event&) {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
        std::this_thread::yield();
        --running;
    };
    Dispatcher dispatcher(stage.settings(), stage.hooks(1));
    Reports reports;
    for (int n = 0; n < 50; ++n) dispatcher.send("hook.a", event_of(std::to_string(n), "1"), 0, {}, reports());
    reports.wait(50);
    EXPECT_LE(most, 2);
}

TEST(Dispatcher, GivesUpWhenTryingAgainCannotHelpOrWasTriedEnough) {
    const HookStage stage("hook_retry_delay = 1ms\nhook_max_attempts = 3");
    Calls calls;
    bool retryable = false;
    Behaviour::of("a").event = [&](Context, const td_event& event) {
        calls.add(event);
        throw tapedeck::Error(TD_FAILED, "no", retryable);
    };
    Dispatcher dispatcher(stage.settings(), stage.hooks(1));
    Reports hopeless;
    dispatcher.send("hook.a", event_of("s", "1"), 0, {}, hopeless());
    EXPECT_EQ(hopeless.wait(1)[0].outcome, Dispatcher::Progress::GaveUp);
    retryable = true;
    Reports tired;
    dispatcher.send("hook.a", event_of("s", "2"), 1, {}, tired());  // one attempt was made before a restart
    const auto seen = tired.wait(4);
    EXPECT_EQ(seen[0].outcome, Dispatcher::Progress::Begun);
    EXPECT_EQ(seen[1].outcome, Dispatcher::Progress::Retrying);
    EXPECT_EQ(seen[2].outcome, Dispatcher::Progress::Begun);
    EXPECT_EQ(seen[3].outcome, Dispatcher::Progress::GaveUp);
    EXPECT_THAT(calls.seen(), ElementsAre("1#1", "2#2", "2#3"));
}

TEST(Dispatcher, GivesUpForAHookThatIsNotEnabled) {
    const HookStage stage("");
    Dispatcher dispatcher(stage.settings(), {});
    Reports reports;
    dispatcher.send("hook.gone", event_of("s", "1"), 0, {}, reports());
    EXPECT_EQ(reports.wait(1)[0].outcome, Dispatcher::Progress::GaveUp);
}

TEST(Dispatcher, TellsACallThatItsTimeIsOver) {
    const HookStage stage("hook_timeout = 1ms\nhook_max_attempts = 1");
    Behaviour::of("a").event = [](Context context, const td_event&) {
        while (!context.cancelled()) std::this_thread::yield();
        throw tapedeck::Error(TD_CANCELLED, "stopped");
    };
    Dispatcher dispatcher(stage.settings(), stage.hooks(1));
    Reports reports;
    dispatcher.send("hook.a", event_of("s", "1"), 0, {}, reports());
    EXPECT_EQ(reports.wait(1)[0].outcome, Dispatcher::Progress::GaveUp);
}

TEST(Dispatcher, AnAttemptEndedByTheStopIsNotHeldAgainstTheHook) {
    const HookStage stage("hook_max_attempts = 1");
    std::promise<void> begun;
    Behaviour::of("a").event = [&](Context context, const td_event&) {
        begun.set_value();
        while (!context.cancelled()) std::this_thread::yield();
        throw tapedeck::Error(TD_CANCELLED, "stopped");
    };
    Dispatcher dispatcher(stage.settings(), stage.hooks(1));
    Reports reports;
    dispatcher.send("hook.a", event_of("s", "1"), 0, {}, reports());
    begun.get_future().wait();
    dispatcher.stop(limit);
    EXPECT_EQ(reports.wait(1)[0].outcome, Dispatcher::Progress::Retrying);
}

}  // namespace
}  // namespace tapedeck::host::test
