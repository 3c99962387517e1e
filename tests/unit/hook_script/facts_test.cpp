// What a script learns from its environment.
#include "facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tapedeck/context.hpp"

namespace tapedeck::script {
namespace {

using testing::Contains;

TEST(ScriptFacts, TellAllOfARecording) {
    td_recording recording{};
    recording.size = sizeof recording;
    recording.flags = TD_RECORDING_FINAL | TD_RECORDING_RECOVERED;
    recording.stream = text_of("cam 1");
    recording.path = text_of("/records/x.mp4");
    recording.name = text_of("x.mp4");
    recording.uri = text_of("file:///records/x.mp4");
    recording.extension = text_of("mp4");
    recording.protocol = text_of("rtmp");
    recording.media_session = text_of("m");
    recording.session = text_of("s");
    recording.login = text_of("bob");
    recording.video_codec = text_of("H264");
    recording.segment = 2;
    recording.bytes = 12345678901;
    recording.duration_us = 20'026'999;
    recording.start_us = 1'553'577'643'961'500;
    recording.end_us = recording.media_end_us = TD_NO_TIME;
    recording.media_start_us = 40'000;
    td_event event{};
    event.size = sizeof event;
    event.attempt = 3;
    event.id = text_of("e1");
    event.recording = &recording;
    const auto facts = facts_of(event, "/home/wcs");
    for (const auto* line : {"HOME=/home/wcs",
                             "EVENT_ID=e1",
                             "ATTEMPT=3",
                             "STREAM=cam 1",
                             "FILE=/records/x.mp4",
                             "NAME=x.mp4",
                             "URI=file:///records/x.mp4",
                             "EXTENSION=mp4",
                             "PROTOCOL=rtmp",
                             "MEDIA_SESSION=m",
                             "SESSION=s",
                             "LOGIN=bob",
                             "VIDEO_CODEC=H264",
                             "AUDIO_CODEC=",
                             "SEGMENT=2",
                             "BYTES=12345678901",
                             "DURATION_MS=20026",
                             "START_MS=1553577643961",
                             "END_MS=",
                             "MEDIA_START_MS=40",
                             "MEDIA_END_MS=",
                             "RECOVERED=1"})
        EXPECT_THAT(facts, Contains("TAPEDECK_" + std::string(line)));
    EXPECT_EQ(facts.size(), 22u);
}

TEST(ScriptFacts, TellWhoWantsToPublish) {
    const std::array attributes{td_attribute{text_of("token"), text_of("t1")},
                                td_attribute{text_of("LD_PRELOAD=/x"), text_of("evil")},
                                td_attribute{text_of("room-1"), text_of("a")}};
    td_stream_info client{};
    client.size = sizeof client;
    client.name = text_of("cam");
    client.protocol = text_of("rtmp");
    client.remote = text_of("192.0.2.1:5000");
    client.application = text_of("live");
    client.attributes = attributes.data();
    client.attribute_count = attributes.size();
    const auto facts = facts_of(client, "/home/wcs");
    for (const auto* line : {"STREAM=cam", "PROTOCOL=rtmp", "REMOTE=192.0.2.1:5000", "APPLICATION=live", "TOKEN=t1",
                             "PASSWORD=", "ATTRIBUTE_LD_PRELOAD__X=evil", "ATTRIBUTE_ROOM_1=a"})
        EXPECT_THAT(facts, Contains("TAPEDECK_" + std::string(line)));
}

TEST(ScriptFacts, MakeTextsPrintable) {
    EXPECT_EQ(printable("a\nb\x1B[31m\x7F"), "a?b?[31m?");
    EXPECT_EQ(printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace tapedeck::script
