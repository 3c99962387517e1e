#include "rtsp/pull.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "fake_camera.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtsp {
namespace {

class PullTest : public ::testing::Test {
protected:
    PullTest() {
        settings_.connect_timeout_us = settings_.timeout_us = settings_.longest_pause_us = 10'000'000;
        settings_.away_us = 30'000'000;
        settings_.key_timeout_us = 50'000;
        loop_->start();
    }
    ~PullTest() override {
        if (pull_) pull_->stop("the test is over");
        workers_.stop();
        loop_->stop();
    }
    void pull(const std::string& uri) {
        PullRequest request;
        request.url = Url::parse(uri);
        request.uri = request.url->text();
        pull(std::move(request));
    }
    void pull(PullRequest request) {
        request.stream = "cam";
        pull_ =
            std::make_shared<Pull>(context(), loop_, workers_, TlsClient(""), settings_, request, [](const Pull&) {});
        pull_->start();
    }
    Context context() { return {host_.table(), host_.context()}; }
    /// False when it does not come true in time.
    template <class Condition>
    static bool soon(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return true;
    }
    bool is(const std::string& status, const std::string& info = "") {
        return soon([&] {
            const auto now = pull_->status();
            return now.status == status && now.info.find(info) != std::string::npos;
        });
    }

    testkit::FakeHost host_;
    Settings settings_;
    std::shared_ptr<Loop> loop_ = std::make_shared<Loop>(context());
    Workers workers_{context()};
    std::shared_ptr<Pull> pull_;
};

TEST_F(PullTest, FollowsARedirectionAndGivesPictures) {
    FakeCamera target;
    FakeCamera camera([&](std::size_t, const Message&) {
        Message moved;
        moved.status = 302;
        moved.reason = "Moved Temporarily";
        moved.set("Location", target.url());
        return std::optional(moved);
    });
    pull(camera.url());
    auto* const stream = host_.streams.wait();
    ASSERT_NE(stream, nullptr);
    EXPECT_EQ(stream->facts.name, "cam");
    ASSERT_TRUE(is("PLAYING"));
    target.picture(1, 0, true);
    target.picture(2, 3600, false);
    ASSERT_TRUE(soon([&] { return stream->packet_count() == 2; }));
    const auto packets = stream->packets();
    EXPECT_EQ(packets[0].packet.flags, TD_PACKET_KEY);
    EXPECT_EQ(packets[1].packet.pts - packets[0].packet.pts, 3600);
    ASSERT_EQ(stream->tracks().size(), 1u);
    EXPECT_EQ(stream->tracks()[0].track.width, 1280u);
}

TEST_F(PullTest, FollowsNoRedirectionForEver) {
    std::string itself;
    std::atomic<std::size_t> asked = 0;
    FakeCamera camera([&](std::size_t, const Message&) {
        Message moved;
        moved.status = 302;
        moved.set("Location", itself);
        ++asked;
        return std::optional(moved);
    });
    itself = camera.url();
    pull(camera.url());
    EXPECT_TRUE(is("FAILED", "one redirection after another"));
    EXPECT_EQ(asked, 6u);
}

TEST_F(PullTest, TellsOfMissingKeyFramesAndOfAClockThatJumps) {
    FakeCamera camera;
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    camera.picture(1, 0, false);
    EXPECT_TRUE(is("PLAYBACK_PROBLEM", "no key frame"));
    camera.picture(2, 3600, true);
    EXPECT_TRUE(is("PLAYING"));
    camera.picture(3, 90'000'000, false);
    EXPECT_TRUE(soon([&] { return pull_->status().jumps == 1; }));
    EXPECT_TRUE(host_.wait_for_log("its clock jumped by 1000 s"));
}

TEST_F(PullTest, ComesBackIntoTheSameStream) {
    settings_.longest_pause_us = 10'000;
    FakeCamera camera;
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    camera.picture(1, 0, true);
    auto* const stream = host_.streams.wait();
    ASSERT_TRUE(soon([&] { return stream->packet_count() == 1; }));
    camera.hang_up();
    EXPECT_TRUE(is("FAILED", "the connection ended"));
    ASSERT_TRUE(soon([&] { return camera.plays() == 2; }));
    ASSERT_TRUE(is("PLAYING"));
    camera.picture(9, 777, true);
    ASSERT_TRUE(soon([&] { return stream->packet_count() == 2; }));
    EXPECT_EQ(stream->packets()[1].packet.flags, TD_PACKET_KEY | TD_PACKET_DISCONTINUITY);
    EXPECT_FALSE(stream->closed());
    EXPECT_EQ(host_.streams.all().size(), 1u);
}

TEST_F(PullTest, EndsItsStreamAtOnceWhereItIsToldSo) {
    settings_.away_us = 0;
    FakeCamera camera;
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    camera.hang_up();
    auto* const stream = host_.streams.wait();
    EXPECT_TRUE(soon([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->closed(), "the camera has left");
}

TEST_F(PullTest, SaysWhyItIsRefused) {
    FakeCamera camera([](std::size_t, const Message&) {
        Message answer;
        answer.status = 401;
        answer.set("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
        return std::optional(answer);
    });
    pull(camera.url("admin:secret@"));
    EXPECT_TRUE(is("FAILED", "wrong login or password"));
    EXPECT_EQ(host_.logged("secret"), 0u);
    EXPECT_TRUE(host_.streams.all().empty());
    EXPECT_TRUE(host_.wait_for_log("in 300 s")) << "many cameras lock a login";
    pull_->hurry();
    EXPECT_TRUE(soon([&] { return pull_->status().attempts == 2; }));
}

TEST_F(PullTest, WaitsAsLongWhereOnvifRefusesTheLogin) {
    PullRequest request;
    request.uri = "onvif://h";
    request.find = []() -> Url { throw Error(TD_DENIED, "wrong login or password"); };
    pull(request);
    EXPECT_TRUE(is("FAILED", "wrong login or password"));
    EXPECT_TRUE(host_.wait_for_log("onvif://h: wrong login or password; tried again, in 300 s"));
    pull_->hurry();
    EXPECT_TRUE(soon([&] { return pull_->status().attempts == 2; }));
    request.find = []() -> Url { throw Error("it has no profile"); };
    pull_->change(request);
    EXPECT_TRUE(is("FAILED", "it has no profile"));
    EXPECT_TRUE(host_.wait_for_log("it has no profile; tried again, in 1 s"));
}

TEST_F(PullTest, TakesAnotherLoginAtOnceAndGoesOnInItsStream) {
    FakeCamera camera([](std::size_t, const Message& request) {
        std::optional<Message> answer;
        if (request.header("Authorization") == "Basic YTpvbmU=" || request.header("Authorization") == "Basic YTp0d28=")
            return answer;  // a:one and a:two
        answer.emplace();
        answer->status = 401;
        answer->set("WWW-Authenticate", "Basic realm=\"r\"");
        return answer;
    });
    pull(camera.url("a:wrong@"));
    ASSERT_TRUE(is("FAILED", "wrong login or password"));
    PullRequest changed = pull_->request();
    for (const auto* login : {"a:one@", "a:two@"}) {
        changed.url = Url::parse(camera.url(login));
        pull_->change(changed);
        const auto plays = camera.plays();
        ASSERT_TRUE(soon([&] { return camera.plays() == plays + 1; })) << login;
        ASSERT_TRUE(is("PLAYING"));
    }
    EXPECT_EQ(host_.streams.all().size(), 1u);
    EXPECT_FALSE(host_.streams.all()[0]->closed());
}

TEST_F(PullTest, TriesAPasswordThatWasRightBeforeSoonAgain) {
    std::atomic<bool> refuses = false;
    FakeCamera camera([&](std::size_t, const Message&) {
        std::optional<Message> answer;
        if (!refuses) return answer;
        answer.emplace();
        answer->status = 401;
        answer->set("WWW-Authenticate", "Basic realm=\"r\"");
        return answer;
    });
    pull(camera.url("a:right@"));
    ASSERT_TRUE(is("PLAYING"));
    refuses = true;
    camera.hang_up();
    EXPECT_TRUE(is("FAILED", "the connection ended"));
    EXPECT_TRUE(host_.wait_for_log("wrong login or password; tried again, in 10 s")) << "a camera that starts";
    pull_->hurry();
    EXPECT_TRUE(soon([&] { return pull_->status().attempts == 3; }));
}

TEST_F(PullTest, DoesNotWaitLongerForACameraThatPlaysWithoutMedia) {
    settings_.timeout_us = 100'000;
    settings_.longest_pause_us = 10'000;
    settings_.away_us = 500'000;
    FakeCamera camera;
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    camera.picture(1, 0, true);
    auto* const stream = host_.streams.wait();
    EXPECT_TRUE(soon([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->closed(), "the camera has left");
    EXPECT_GT(camera.plays(), 1u) << "it played meanwhile, and nothing came";
}

TEST_F(PullTest, SaysWhatASilentCameraDidNotDo) {
    settings_.connect_timeout_us = settings_.timeout_us = 100'000;
    settings_.longest_pause_us = 10'000;
    FakeCamera mute([](std::size_t number, const Message&) {
        Message interim;  // never the last word
        interim.status = 100;
        return number == 0 ? std::optional(interim) : std::nullopt;
    });
    pull(mute.url());
    EXPECT_TRUE(is("FAILED", "did not answer in time"));
    EXPECT_TRUE(is("FAILED", "nothing came for")) << "the second attempt plays, and nothing comes";
}

TEST_F(PullTest, EndsWithTheStreamThatIsKicked) {
    FakeCamera camera;
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    auto* const stream = host_.streams.wait();
    stream->kick("Stopped by rest /terminate");
    EXPECT_TRUE(soon([&] { return stream->closed() == "Stopped by rest /terminate"; }));
    EXPECT_TRUE(is("STOPPED"));
}

}  // namespace
}  // namespace tapedeck::rtsp
