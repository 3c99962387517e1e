#include "rtsp/rtp_info.hpp"

#include <gtest/gtest.h>

namespace tapedeck::rtsp {
namespace {

TEST(RtpInfo, TellsTheTimeOfEachTrack) {
    const auto tracks = RtpInfo::parse(
        "url=rtsp://h/cam?a=1,2/track1;seq=45102;rtptime=4294967295, url=track2; rtptime = "
        "77;seq=3,url=rtsp://h/x;seq=1");
    ASSERT_EQ(tracks.size(), 3u);
    EXPECT_EQ(tracks[0].url, "rtsp://h/cam?a=1,2/track1") << "a comma of its own";
    EXPECT_EQ(tracks[0].rtptime, 4294967295u);
    EXPECT_EQ(tracks[1].rtptime, 77u);
    EXPECT_FALSE(tracks[2].rtptime);
    EXPECT_TRUE(tracks[0].is_of("rtsp://h/cam/track1", "track1"));
    EXPECT_TRUE(tracks[1].is_of("rtsp://h/cam/track2", "track2"));
    EXPECT_FALSE(tracks[0].is_of("rtsp://h/cam/rack1", "rack1"));
    EXPECT_TRUE(tracks[2].is_of("rtsp://h/x", ""));
}

TEST(RtpInfo, LeavesOutWhatCannotBeRead) {
    EXPECT_TRUE(RtpInfo::parse("").empty());
    EXPECT_TRUE(RtpInfo::parse("seq=1;rtptime=2,,;=").empty());
    EXPECT_FALSE(RtpInfo::parse("url=a;rtptime=-1").front().rtptime);
    EXPECT_FALSE(RtpInfo::parse("url=a;rtptime=4294967296").front().rtptime);
}

}  // namespace
}  // namespace tapedeck::rtsp
