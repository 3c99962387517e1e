#include "request.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "sources/members.hpp"

namespace tapedeck::file_source {
namespace {

namespace fs = std::filesystem;

class VodRequest : public testing::Test {
protected:
    VodRequest() {
        std::string name = fs::temp_directory_path() / "tapedeck-vod-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        fs::create_directories(folder_ / "media" / "sub");
        std::ofstream(folder_ / "media" / "a.mp4") << "x";
        std::ofstream(folder_ / "media" / "sub" / "b c.mp4") << "x";
        std::ofstream(folder_ / "secret") << "x";
        fs::create_symlink(folder_ / "secret", folder_ / "media" / "way-out.mp4");
    }
    ~VodRequest() override { fs::remove_all(folder_); }

    std::string refusal(const std::string& body) {
        try {
            parse_startup(body, folder_ / "media");
        } catch (const Error& error) {
            return error.what();
        }
        return "accepted";
    }

    fs::path folder_;
};

TEST_F(VodRequest, FindsFilesBelowItsFolderOnly) {
    EXPECT_EQ(file_of("vod://a.mp4", folder_ / "media"), fs::canonical(folder_ / "media/a.mp4"));
    EXPECT_EQ(file_of("vod://sub/b c.mp4", folder_ / "media"), fs::canonical(folder_ / "media/sub/b c.mp4"));
    EXPECT_EQ(file_of("vod:///a.mp4", folder_ / "media"), fs::canonical(folder_ / "media/a.mp4"));
    for (const char* uri : {"vod://../secret", "vod://sub/../../secret", "vod://way-out.mp4", "vod://", "a.mp4",
                            "http://a.mp4", "file:///etc/passwd"}) {
        try {
            file_of(uri, folder_ / "media");
            ADD_FAILURE() << uri;
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_MALFORMED) << uri;
        }
    }
    try {
        file_of("vod://none.mp4", folder_ / "media");
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_NOT_FOUND);
        EXPECT_NE(std::string(error.what()).find("protocol.file.folder"), std::string::npos);
    }
}

TEST_F(VodRequest, ReadsEverythingThatMayBeAsked) {
    const auto request = parse_startup(
        R"({"uri":"vod://a.mp4","localStreamName":"cam","loop":true,"realTime":false,"record":true,
            "then":["vod://sub/b c.mp4"],"faults":{"loss":0.25,"seed":3,"pauseAtMs":1000,"pauseForMs":500.5,"changeAtMs":7}})",
        folder_ / "media");
    EXPECT_EQ(request.uri, "vod://a.mp4");
    EXPECT_EQ(request.stream, "cam");
    EXPECT_TRUE(request.loop);
    EXPECT_FALSE(request.real_time);
    EXPECT_EQ(request.record, static_cast<std::uint32_t>(TD_RECORD_YES));
    EXPECT_EQ(request.files.size(), 2u);
    EXPECT_EQ(request.faults.loss, 0.25);
    EXPECT_EQ(request.faults.pause_for, std::chrono::microseconds(500'500));
    EXPECT_EQ(request.faults.change_at, std::chrono::milliseconds(7));
    EXPECT_LT(request.faults.jump_at.count(), 0);
}

TEST_F(VodRequest, NamesWhatIsWrong) {
    EXPECT_EQ(refusal("["), "the body is no JSON object");
    EXPECT_EQ(refusal(R"({"localStreamName":"x"})"), "uri is missing");
    EXPECT_EQ(refusal(R"({"uri":"vod://a.mp4"})"), "localStreamName is missing");
    EXPECT_EQ(refusal(R"({"uri":"vod://a.mp4","localStreamName":7})"), "localStreamName: 7 is no text");
    EXPECT_EQ(refusal(R"({"uri":"vod://a.mp4","localStreamName":"x","loop":1})"), "loop: 1 is neither true nor false");
    EXPECT_TRUE(refusal(R"({"uri":"vod://a.mp4","localStreamName":"x","faults":{"loss":2}})")
                    .starts_with("faults.loss: 2 is no number from 0 to 1"));
}

TEST(SourceFilter, NamesSomething) {
    const auto read = [](const char* body) { return sources::Filter::read(sources::Members(body)); };
    EXPECT_THROW(read("{}"), Error);
    EXPECT_TRUE(read(R"({"uri":"vod://a.mp4"})").matches("vod://a.mp4", "cam", "1"));
    EXPECT_TRUE(read(R"({"localMediaSessionId":"1"})").matches("vod://a.mp4", "cam", "1"));
    EXPECT_FALSE(read(R"({"uri":"vod://a.mp4","localStreamName":"other"})").matches("vod://a.mp4", "cam", "1"));
}

}  // namespace
}  // namespace tapedeck::file_source
