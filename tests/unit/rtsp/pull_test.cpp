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

TEST_F(PullTest, AsksForUdpWhereTheCameraRefusesTcp) {
    std::atomic<bool> was_asked = false;
    FakeCamera camera([&](std::size_t, const Message& request) -> std::optional<Message> {
        if (request.method != "SETUP") return std::nullopt;
        Message answer;
        if (request.header("Transport").find("client_port=") == std::string::npos) {
            answer.status = 461;
            answer.reason = "Unsupported Transport";
            return answer;
        }
        was_asked = true;
        answer.status = 200;
        answer.reason = "OK";
        answer.set("Session", "1");
        answer.set("Transport", std::string(request.header("Transport")));
        return answer;
    });
    pull(camera.url());
    ASSERT_TRUE(is("PLAYING"));
    EXPECT_TRUE(was_asked);
    EXPECT_TRUE(soon([&] { return pull_->status().is_udp; }));
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

TEST_F(PullTest, GivesItsLoginToItsOwnCameraAlone) {
    std::string home, away;
    std::atomic<bool> was_away = false;
    std::mutex mutex;
    std::vector<std::string> told_away, told_home;
    const auto moved_to = [](const std::string& where) {
        Message moved;
        moved.status = 302;
        moved.set("Location", where);
        return std::optional(moved);
    };
    FakeCamera other([&](std::size_t, const Message& request) {
        const std::lock_guard lock(mutex);
        told_away.emplace_back(request.header("Authorization"));
        was_away = true;
        if (told_away.size() > 1) return moved_to(home);
        Message challenge;
        challenge.status = 401;
        challenge.set("WWW-Authenticate", "Basic realm=\"r\"");
        return std::optional(challenge);
    });
    FakeCamera camera([&](std::size_t, const Message& request) {
        const std::lock_guard lock(mutex);
        if (!was_away) return moved_to(away);
        told_home.emplace_back(request.header("Authorization"));
        std::optional<Message> answer;
        if (!told_home.back().empty()) return answer;
        answer.emplace();
        answer->status = 401;
        answer->set("WWW-Authenticate", "Basic realm=\"r\"");
        return answer;
    });
    home = camera.url();
    away = other.url();
    settings_.longest_pause_us = 10'000;
    pull(camera.url("a:secret@"));
    ASSERT_TRUE(is("FAILED", "it wants a login")) << "the same host, but another port";
    was_away = false;
    pull_->hurry();
    ASSERT_TRUE(is("PLAYING")) << "back at home it has its login again";
    const std::lock_guard lock(mutex);
    for (const auto& one : told_away) EXPECT_EQ(one, "");
    EXPECT_NE(told_home.back(), "");
}

TEST_F(PullTest, AsksWorkersOneQuestionAtATime) {
    settings_.connect_timeout_us = 1'000;
    settings_.longest_pause_us = 1'000;
    std::atomic<int> asked = 0;
    std::atomic<bool> is_left = false;
    PullRequest request;
    request.uri = "onvif://h";
    request.find = [&](const std::function<bool()>& is_wanted) -> Url {
        ++asked;
        while (is_wanted()) std::this_thread::yield();
        is_left = true;
        throw Error("left");
    };
    FakeCamera mute([](std::size_t, const Message&) {
        Message interim;
        interim.status = 100;
        return std::optional(interim);
    });
    PullRequest other;
    other.url = Url::parse(mute.url());
    other.uri = mute.url();
    other.stream = "other";
    const auto clock =
        std::make_shared<Pull>(context(), loop_, workers_, TlsClient(""), settings_, other, [](const Pull&) {});
    pull(request);
    clock->start();
    EXPECT_TRUE(soon([&] { return clock->status().attempts > 5; })) << "its attempts end after connect_timeout";
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(pull_->status().attempts, 1u);
    clock->stop("enough");
    pull_->stop("enough");
    EXPECT_TRUE(soon([&] { return is_left.load(); })) << "nobody waits for it any more";
}

TEST_F(PullTest, ShowsNothingThatIsNoText) {
    FakeCamera camera([](std::size_t, const Message&) {
        Message answer;
        answer.status = 302;
        answer.set("Location", "rtsp://\xff\xfe:99999/");
        return std::optional(answer);
    });
    pull(camera.url());
    ASSERT_TRUE(is("FAILED"));
    EXPECT_EQ(pull_->status().info.find('\xff'), std::string::npos) << pull_->status().info;
    FakeCamera other([](std::size_t, const Message&) {
        Message answer;
        answer.status = 200;
        answer.set("Content-Length", "\xff\xfe");
        return std::optional(answer);
    });
    auto changed = pull_->request();
    changed.url = Url::parse(other.url());
    pull_->change(changed);
    EXPECT_TRUE(is("FAILED", "RTSP: a body of \\xff\\xfe bytes"));
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
    request.find = [](const auto&) -> Url { throw Error(TD_DENIED, "wrong login or password"); };
    pull(request);
    EXPECT_TRUE(is("FAILED", "wrong login or password"));
    EXPECT_TRUE(host_.wait_for_log("onvif://h: wrong login or password; tried again, in 300 s"));
    pull_->hurry();
    EXPECT_TRUE(soon([&] { return pull_->status().attempts == 2; }));
    request.find = [](const auto&) -> Url { throw Error("it has no profile"); };
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
