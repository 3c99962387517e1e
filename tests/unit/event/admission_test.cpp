#include "event/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "base/text.hpp"
#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using doubles::Behaviour;
using ::testing::HasSubstr;

/// Asks about a publisher of this name and waits for the answer.
std::optional<Error> answer(Admission& admission, std::string name = "cam") {
    td_stream_info info{};
    info.size = sizeof info;
    info.name = text_of(name);
    const std::string key = "token", value = "secret";
    const td_attribute token{text_of(key), text_of(value)};
    info.attributes = &token;
    info.attribute_count = 1;
    std::promise<std::optional<Error>> done;
    auto future = done.get_future();
    admission.ask(TD_PUBLISH, info, [&](const Error* refused) {
        done.set_value(refused == nullptr ? std::nullopt : std::optional(*refused));
    });
    return future.get();
}

const auto yes = [](Context, int, const td_stream_info&) {};

TEST(Admission, AllowsWhenNobodyIsAskedAndWhenAllAgree) {
    const HookStage stage("");
    Admission nobody(stage.settings(), {});
    EXPECT_FALSE(answer(nobody));
    std::string seen;
    Behaviour::of("a").admit = [&](Context, int action, const td_stream_info& info) {
        seen = std::to_string(action) + ' ' + std::string(view(info.name)) + ' ' +
               std::string(view(info.attributes[0].value));
    };
    Behaviour::of("b").admit = yes;
    Admission both(stage.settings(), stage.hooks(2));
    EXPECT_FALSE(answer(both));
    EXPECT_EQ(seen, "2 cam secret");
}

TEST(Admission, OneRefusalDecidesWithItsReason) {
    const HookStage stage("");
    Behaviour::of("a").admit = yes;
    Behaviour::of("b").admit = [](Context, int, const td_stream_info&) {
        throw tapedeck::Error(TD_DENIED, "not on Sundays");
    };
    Admission admission(stage.settings(), stage.hooks(2));
    const auto refused = answer(admission);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status(), TD_DENIED);
    EXPECT_THAT(refused->what(), HasSubstr("not on Sundays"));
}

TEST(Admission, AHookThatFailsOrIsTooSlowRefuses) {
    const HookStage stage("admission_timeout = 20ms");
    Behaviour::of("a").admit = [](Context, int, const td_stream_info&) { throw tapedeck::Error("broken"); };
    Admission broken(stage.settings(), stage.hooks(1));
    const auto refused = answer(broken);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status(), TD_DENIED);
    EXPECT_THAT(refused->what(), ::testing::Not(HasSubstr("broken")));

    std::promise<void> go;
    Behaviour::of("a").admit = [ready = go.get_future().share()](Context, int, const td_stream_info&) { ready.wait(); };
    const auto late = answer(broken);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->status(), TD_TIMEOUT);
    go.set_value();
}

TEST(Admission, NeverAnswersFromInsideTheQuestion) {
    const HookStage stage("");
    Admission admission(stage.settings(), {});
    const td_stream_info info{};
    std::promise<std::thread::id> done;
    admission.ask(TD_PLAY, info, [&](const Error*) { done.set_value(std::this_thread::get_id()); });
    EXPECT_NE(done.get_future().get(), std::this_thread::get_id());
}

TEST(Admission, AnswersEverybodyWhenItStops) {
    const HookStage stage("admission_timeout = 1h");
    std::promise<void> asked, go;
    Behaviour::of("a").admit = [&, ready = go.get_future().share()](Context, int, const td_stream_info&) {
        asked.set_value();
        ready.wait();
    };
    Admission admission(stage.settings(), stage.hooks(1));
    std::promise<td_status> done, later;
    const td_stream_info info{};
    admission.ask(TD_PLAY, info, [&](const Error* refused) { done.set_value(refused->status()); });
    asked.get_future().wait();
    std::thread stop([&] { admission.stop(30s); });
    EXPECT_EQ(done.get_future().get(), TD_CANCELLED);
    go.set_value();
    stop.join();
    admission.ask(TD_PLAY, info, [&](const Error* refused) { later.set_value(refused->status()); });
    EXPECT_EQ(later.get_future().get(), TD_CANCELLED);
}

}  // namespace
}  // namespace tapedeck::host::test
