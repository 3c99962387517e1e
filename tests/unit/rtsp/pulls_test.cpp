#include "rtsp/pulls.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "fake_camera.hpp"
#include "rtsp/cameras.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtsp {
namespace {

class PullsTest : public ::testing::Test {
protected:
    PullsTest() {
        for (const auto& loop : loops_) loop->start();
    }
    ~PullsTest() override {
        pulls_.close();
        workers_.stop();
        for (const auto& loop : loops_) loop->stop();
    }
    Context context() { return {host_.table(), host_.context()}; }
    /// As conf/cameras.yaml, with these entries.
    void follow(const std::string& entries) { pulls_.follow(parse_cameras("cameras:\n" + entries, "cameras.yaml")); }
    static PullRequest request(const std::string& uri, const std::string& stream) {
        PullRequest request;
        request.url = Url::parse(uri);
        request.uri = request.url->text();
        request.stream = stream;
        return request;
    }
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
    /// Streams of this name that have not ended.
    std::size_t open(const std::string& name) {
        std::size_t count = 0;
        for (auto* const stream : host_.streams.all()) count += stream->facts.name == name && !stream->closed();
        return count;
    }
    bool plays(const std::string& uri) {
        return soon([&] {
            const auto found = pulls_.find(uri);
            return found.size() == 1 && found[0]->status().status == "PLAYING";
        });
    }

    testkit::FakeHost host_{all_keys};
    std::vector<std::shared_ptr<Loop>> loops_{std::make_shared<Loop>(context())};
    Workers workers_{context()};
    Pulls pulls_{context(), loops_, workers_};
};

/// Refuses whoever has another login than a:right.
FakeCamera::Answer guarded() {
    return [](std::size_t, const Message& request) {
        std::optional<Message> answer;
        if (request.header("Authorization") == "Basic YTpyaWdodA==") return answer;
        answer.emplace();
        answer->status = 401;
        answer->set("WWW-Authenticate", "Basic realm=\"r\"");
        return answer;
    };
}

TEST_F(PullsTest, FollowTheList) {
    FakeCamera one, two, three;
    pulls_.start(request(three.url(), "rest"));
    follow("  - {uri: '" + one.url() + "', name: a}\n  - {uri: '" + two.url() + "', name: b}\n");
    EXPECT_TRUE(plays(one.url()) && plays(two.url()) && plays(three.url()));
    follow("  - {uri: '" + one.url() + "', name: a}\n");
    EXPECT_TRUE(pulls_.find(two.url()).empty());
    EXPECT_TRUE(soon([&] { return open("b") == 0; }));
    follow("  - {uri: '" + one.url() + "', name: c}\n");
    EXPECT_TRUE(soon([&] { return open("a") == 0 && open("c") == 1; })) << "another name is another stream";
    EXPECT_TRUE(plays(one.url()));
    follow("");
    EXPECT_TRUE(soon([&] { return open("c") == 0; }));
    EXPECT_EQ(pulls_.find("").size(), 1u) << "the list says nothing of what came by REST";
    EXPECT_EQ(open("rest"), 1u);
}

TEST_F(PullsTest, AreConnectedAnewWhereTheListSaysAnotherLogin) {
    FakeCamera camera(guarded());
    const auto entry = "  - {uri: '" + camera.url() + "', name: a, user: a, password: ";
    follow(entry + "wrong}\n");
    ASSERT_TRUE(host_.wait_for_log("wrong login or password"));
    follow(entry + "right}\n");
    EXPECT_TRUE(plays(camera.url()));
    follow(entry + "right}\n");
    follow(entry + "right, transport: tcp}\n");
    EXPECT_TRUE(soon([&] { return camera.plays() == 2; })) << "once for each change";
    EXPECT_TRUE(plays(camera.url()));
    EXPECT_EQ(host_.streams.all().size(), 1u) << "the stream goes on";
}

TEST_F(PullsTest, MayTakeEachOthersNames) {
    FakeCamera one, two;
    const auto entries = [&](const char* first, const char* second) {
        return "  - {uri: '" + one.url() + "', name: " + first + "}\n  - {uri: '" + two.url() + "', name: " + second +
               "}\n";
    };
    follow(entries("a", "b"));
    EXPECT_TRUE(plays(one.url()) && plays(two.url()));
    follow(entries("b", "a"));
    EXPECT_TRUE(soon([&] { return one.plays() == 2 && two.plays() == 2; }));
    EXPECT_EQ(pulls_.find(one.url()).at(0)->request().stream, "b");
    EXPECT_EQ(host_.logged("a camera is not pulled"), 0u);
}

TEST_F(PullsTest, StartAgainAtOnceAfterTheirEnd) {
    FakeCamera camera;
    for (std::size_t round = 1; round <= 3; ++round) {
        pulls_.start(request(camera.url(), "a"));
        EXPECT_THROW(pulls_.start(request(camera.url(), "b")), Error);
        EXPECT_THROW(pulls_.start(request("rtsp://127.0.0.1:1/", "a")), Error);
        EXPECT_TRUE(soon([&] { return camera.plays() == round; }));
        EXPECT_EQ(pulls_.stop(camera.url(), "enough"), 1u);
        EXPECT_EQ(pulls_.stop(camera.url(), "enough"), 0u);
        EXPECT_TRUE(pulls_.find("").empty());
    }
}

TEST_F(PullsTest, TakeAnotherLoginWhereTheFirstIsRefused) {
    FakeCamera camera(guarded());
    pulls_.start(request(camera.url("a:wrong@"), "a"));
    EXPECT_TRUE(soon([&] { return pulls_.find("").at(0)->status().status == "FAILED"; }));
    EXPECT_THROW(pulls_.start(request(camera.url("a:wrong@"), "a")), Error) << "who asks in a loop locks no login";
    EXPECT_THROW(pulls_.start(request(camera.url("a:right@"), "b")), Error);
    pulls_.start(request(camera.url("a:right@"), "a"));
    EXPECT_TRUE(plays(camera.url()));
    EXPECT_THROW(pulls_.start(request(camera.url("a:other@"), "a")), Error) << "it plays";
}

}  // namespace
}  // namespace tapedeck::rtsp
