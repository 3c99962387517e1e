#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "plugin/blocking_call.hpp"
#include "plugin/control_call.hpp"
#include "plugin/services.hpp"

namespace tapedeck::host {
namespace {

using namespace std::chrono_literals;

TEST(ControlCall, GivesBackWhatTheCallThrows) {
    EXPECT_THROW(control_call("x", [] { throw Error("no"); }), Error);
    bool ran = false;
    control_call("x", [&ran] { ran = true; });
    EXPECT_TRUE(ran);
}

TEST(ControlCall, LeavesBehindWhatDoesNotReturn) {
    const auto release = std::make_shared<std::promise<void>>();
    const auto left = std::make_shared<std::promise<void>>();
    try {
        control_call(
            "protocol x: start",
            [wait = release->get_future().share(), left] {
                wait.wait();
                left->set_value();
            },
            1ms, 20ms);
        FAIL() << "returned";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "protocol x: start: did not return within 20ms");
        EXPECT_EQ(error.status(), TD_TIMEOUT);
    }
    release->set_value();
    left->get_future().wait();
}

TEST(BlockingCall, IsCancelledByItsDeadlineOrByAStop) {
    EXPECT_FALSE(BlockingCall::cancelled());
    {
        const BlockingCall over(0s);
        EXPECT_TRUE(BlockingCall::cancelled());
    }
    std::stop_source stop;
    const BlockingCall call(1h, stop.get_token());
    EXPECT_FALSE(BlockingCall::cancelled());
    {
        const BlockingCall inner(1h);
        EXPECT_FALSE(BlockingCall::cancelled());
        stop.request_stop();
        EXPECT_TRUE(BlockingCall::cancelled());
    }
    EXPECT_TRUE(BlockingCall::cancelled());
}

TEST(BlockingCall, OfOneThreadIsNotThatOfAnother) {
    const BlockingCall over(0s);
    EXPECT_FALSE(std::async(std::launch::async, [] { return BlockingCall::cancelled(); }).get());
}

TEST(Services, AreFoundByIdAndAddedOnce) {
    Services services;
    EXPECT_NE(services.find(TD_METRICS), nullptr);
    EXPECT_EQ(services.find(TD_HTTP), nullptr);
    td_http http{};
    services.add(TD_HTTP, &http);
    EXPECT_EQ(services.find(TD_HTTP), &http);
    EXPECT_THROW(services.add(TD_HTTP, &http), Error);
}

TEST(Services, ShowThePortsOfWhatListens) {
    Services services;
    services.listening("protocol.rtmp", "rtmp", 1935);
    services.listening("protocol.rtmp", "rtmps", 1936);
    services.listening("protocol.rtsp", "rtsp", 554);
    services.listening("protocol.rtsp", "rtsp", 555);
    EXPECT_THAT(services.ports(), testing::ElementsAre(testing::Pair("rtmp", 1935), testing::Pair("rtmps", 1936),
                                                       testing::Pair("rtsp", 555)));
    services.silent("protocol.rtmp");
    EXPECT_THAT(services.ports(), testing::ElementsAre(testing::Pair("rtsp", 555)));
}

}  // namespace
}  // namespace tapedeck::host
