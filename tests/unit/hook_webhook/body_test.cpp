// The JSON of events, whatever a client called its stream.
#include "body.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tapedeck/context.hpp"
#include "tapedeck/utf8.hpp"

namespace tapedeck::webhook {
namespace {

namespace json = boost::json;
using namespace std::string_literals;

class Body : public testing::Test {
protected:
    Body() {
        recording_.size = sizeof recording_;
        recording_.flags = TD_RECORDING_FINAL;
        recording_.segment = 3;
        recording_.stream = text_of("cam1");
        recording_.protocol = text_of("rtmp");
        recording_.media_session = text_of("c43a28b7");
        recording_.session = text_of("/1.2.3.4:5/6.7.8.9:1935");
        recording_.name = text_of("2026/cam1_3.mp4");
        recording_.path = text_of("/records/2026/cam1_3.mp4");
        recording_.start_us = 1'700'000'000'123'456;
        recording_.end_us = recording_.media_start_us = recording_.media_end_us = TD_NO_TIME;
        recording_.duration_us = 2'500'999;
        recording_.bytes = 1ULL << 40;
        event_.size = sizeof event_;
        event_.kind = TD_RECORD_STORED;
        event_.attempt = 1;
        event_.id = text_of("17-stored");
        event_.recording = &recording_;
    }
    json::object sent() const { return json::parse(body_of(event_)).as_object(); }
    json::object sent_as_wcs() const { return json::parse(stream_event_of(event_, "node")).as_object(); }

    td_recording recording_{};
    td_event event_{};
};

TEST_F(Body, HasTheFactsAndNullForWhatIsNotKnown) {
    const auto body = sent();
    EXPECT_EQ(body.at("id"), "17-stored");
    EXPECT_EQ(body.at("event"), "stored");
    EXPECT_EQ(body.at("stream"), "cam1");
    EXPECT_EQ(body.at("mediaSessionId"), "c43a28b7");
    EXPECT_EQ(body.at("segment").to_number<int>(), 3);
    EXPECT_EQ(body.at("name"), "2026/cam1_3.mp4");
    EXPECT_EQ(body.at("bytes").to_number<std::uint64_t>(), 1ULL << 40);
    EXPECT_EQ(body.at("durationMs").to_number<int>(), 2500);
    EXPECT_EQ(body.at("startMs").to_number<std::int64_t>(), 1'700'000'000'123);
    EXPECT_TRUE(body.at("endMs").is_null());
    EXPECT_TRUE(body.at("uri").is_null());
    EXPECT_TRUE(body.at("reason").is_null());
    EXPECT_EQ(body.at("recovered"), false);
}

TEST_F(Body, IsTheSameInEveryAttempt) {
    const auto first = body_of(event_);
    event_.attempt = 7;
    EXPECT_EQ(body_of(event_), first);
}

TEST_F(Body, TellsWhyARecordingFailed) {
    event_.kind = TD_RECORD_FAILED;
    event_.detail = text_of("Not enough available disk space");
    EXPECT_EQ(sent().at("event"), "failed");
    EXPECT_EQ(sent().at("reason"), "Not enough available disk space");
}

TEST_F(Body, CarriesHostileNamesUnharmed) {
    const std::string hostile = "\"},\"event\":\"x\\\n\r\t\x01\x7f</script>\u2028\u65e5\U0001F3A5\0end"s;
    recording_.stream = text_of(hostile);
    EXPECT_EQ(std::string_view(sent().at("stream").as_string()), hostile);
    EXPECT_EQ(sent().at("event"), "stored");
    EXPECT_EQ(body_of(event_).find('\n'), std::string::npos);
}

TEST_F(Body, ReplacesWhatIsNoUtf8) {
    EXPECT_EQ(valid_utf8("a\xff"
                         "b"),
              "a\uFFFDb");
    EXPECT_EQ(valid_utf8("\xc0\x80"), "\uFFFD\uFFFD");            // overlong
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
    EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(valid_utf8("\xe6\x97"), "\uFFFD\uFFFD");  // cut
    EXPECT_EQ(valid_utf8("\u00e9\u65e5\U0010FFFF"), "\u00e9\u65e5\U0010FFFF");
    recording_.stream = text_of("\xff\xfe");
    EXPECT_EQ(sent().at("stream"), "\uFFFD\uFFFD");
}

TEST_F(Body, HasFlashphonersStreamEventOfTheEnd) {
    EXPECT_EQ(
        json::serialize(sent_as_wcs()),
        R"({"nodeId":"node","appKey":"defaultApp","sessionId":"/1.2.3.4:5/6.7.8.9:1935",)"
        R"("mediaSessionId":"c43a28b7","type":"stoppedRecording","payload":{"fileName":"cam1_3.mp4",)"
        R"("mediaProvider":"Flash","filePath":"/records/2026/cam1_3.mp4","durationMs":2500,"size":1099511627776}})");
}

TEST_F(Body, HasFlashphonersStreamEventOfTheStart) {
    event_.kind = TD_RECORD_STARTED;
    recording_.name = {};
    recording_.path = text_of("/records/c43a28b7-1.part.mp4");
    recording_.protocol = text_of("webrtc");
    const auto body = sent_as_wcs();
    EXPECT_EQ(body.at("type"), "startedRecording");
    EXPECT_EQ(json::serialize(body.at("payload")), R"({"fileName":"c43a28b7-1.part.mp4","mediaProvider":"WebRTC"})");
}

}  // namespace
}  // namespace tapedeck::webhook
