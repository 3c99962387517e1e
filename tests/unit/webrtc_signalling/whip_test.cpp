// WHIP and WHEP over the host's routes.
#include "webrtc/signalling/whip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "fake_sessions.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::webrtc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using testkit::HttpAnswer;
using testkit::HttpHeaders;

constexpr auto offer = "v=0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
const HttpHeaders sdp{{"content-type", "Application/SDP; charset=utf-8"}};

class WhipTest : public ::testing::Test {
protected:
    WhipTest() { whip_.serve(http_); }

    /// Asks, and gives the session that it opens before the answer comes.
    const FakeSessions::Opened& ask(const std::string& path, const std::string& query = "",
                                    const HttpHeaders& headers = sdp) {
        const auto number = sessions_.count();
        answer_ =
            std::async(std::launch::async, [=, this] { return host_.http.call("POST", path, offer, query, headers); });
        while (sessions_.count() == number) std::this_thread::yield();
        return sessions_.at(number);
    }
    /// A session that runs, as its address.
    std::string run(const std::string& path) {
        ask(path).events->answered("v=0 answer");
        created_ = answer_.get();
        return created_.headers["Location"];
    }
    HttpAnswer patch(const std::string& path, const std::string& body, const std::string& tag,
                     const std::string& type = "application/trickle-ice-sdpfrag") {
        HttpHeaders headers{{"content-type", type}};
        if (!tag.empty()) headers["if-match"] = tag;
        return host_.http.call("PATCH", path, body, "", headers);
    }

    testkit::FakeHost host_;
    FakeSessions sessions_;
    Http http_{Context(host_.table(), host_.context())};
    Whip whip_{sessions_};
    std::future<HttpAnswer> answer_;
    HttpAnswer created_;
};

TEST_F(WhipTest, AnOfferIsAnsweredWithTheSessionsAddress) {
    auto with_token = sdp;
    with_token["authorization"] = "bearer  secret";
    const auto& session = ask("/whip/cam%2F1", "a=b&record=true", with_token);
    EXPECT_TRUE(session.request.publishes);
    EXPECT_EQ(session.request.name, "cam/1");
    EXPECT_EQ(session.request.offer, offer);
    EXPECT_EQ(session.request.remote, "127.0.0.1");
    EXPECT_EQ(session.request.record, TD_RECORD_YES);
    EXPECT_THAT(session.request.attributes, ElementsAre(Pair("token", "secret")));
    EXPECT_EQ(session.request.media_session.size(), 36U);

    session.events->answered("v=0 answer");
    auto answer = answer_.get();
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.content_type, "application/sdp");
    EXPECT_EQ(answer.body, "v=0 answer");
    EXPECT_TRUE(answer.headers["Location"].starts_with("/webrtc/sessions/"));
    EXPECT_EQ(answer.headers["Location"].find(session.request.media_session), std::string::npos)
        << "the media session is no secret";
    EXPECT_THAT(answer.headers["ETag"], ::testing::MatchesRegex("\"[0-9a-f]+\""));
}

TEST_F(WhipTest, RecordIsLeftToTheRulesUnlessTheQuerySaysSo) {
    for (const auto& [query, expected] : {std::pair{"", TD_RECORD_BY_RULES},
                                          {"record=false", TD_RECORD_NO},
                                          {"xrecord=true", TD_RECORD_BY_RULES},
                                          {"record=", TD_RECORD_BY_RULES}}) {
        const auto& session = ask("/whip/cam", query);
        EXPECT_EQ(session.request.record, static_cast<std::uint32_t>(expected)) << query;
        session.events->ended(true, "Failed by error", "");
        answer_.get();
    }
}

TEST_F(WhipTest, WhepPlays) {
    const auto& session = ask("/whep/cam", "record=true");
    EXPECT_FALSE(session.request.publishes);
    EXPECT_EQ(session.request.name, "cam");
    EXPECT_EQ(session.request.record, TD_RECORD_BY_RULES);
    session.events->ended(true, "Stream not found", "");
    auto answer = answer_.get();
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.headers["Retry-After"], "2");
}

TEST_F(WhipTest, RefusalsHaveTheirStatus) {
    auto with_token = sdp;
    with_token["authorization"] = "Bearer wrong";
    struct Row {
        bool failed;
        const char* reason;
        HttpHeaders headers;
        int status;
    };
    for (const auto& row :
         {Row{true, "Too many sessions are connecting", sdp, 503}, Row{true, "Stream name is already in use", sdp, 409},
          Row{true, "No common codecs", sdp, 406}, Row{true, "Restricted access", with_token, 403},
          Row{true, "Restricted access", sdp, 401}, Row{true, "Failed by error", sdp, 500},
          Row{false, "Stopped by rest /terminate", sdp, 503}}) {
        ask("/whip/cam", "", row.headers).events->ended(row.failed, row.reason, "");
        auto answer = answer_.get();
        EXPECT_EQ(answer.status, row.status) << row.reason;
        EXPECT_EQ(answer.body, row.reason);
        EXPECT_EQ(answer.headers.contains("WWW-Authenticate"), row.status == 401);
    }
}

TEST_F(WhipTest, WhatIsNoOfferOpensNothing) {
    const auto status = [&](const char* path, const std::string& body, const char* type) {
        return host_.http.call("POST", path, body, "", {{"content-type", type}}).status;
    };
    EXPECT_EQ(status("/whip/cam", offer, "application/json"), 415);
    EXPECT_EQ(status("/whip/cam", offer, "application/sdpx"), 415);
    EXPECT_EQ(status("/whip/cam", "", "application/sdp"), 400);
    EXPECT_EQ(status("/whip/cam", "{}", "application/sdp"), 400);
    EXPECT_EQ(status("/whip/cam%2", offer, "application/sdp"), 400);
    EXPECT_EQ(status("/whip/cam%zz", offer, "application/sdp"), 400);
    EXPECT_EQ(status("/whip/", offer, "application/sdp"), 404);
    EXPECT_EQ(status("/whip/cam", offer + std::string(70'000, 'a'), "application/sdp"), 413);
    EXPECT_EQ(sessions_.count(), 0U);
}

TEST_F(WhipTest, DeleteEndsTheSessionOnce) {
    const auto address = run("/whip/cam");
    const auto id = sessions_.at(0).request.media_session;
    EXPECT_EQ(host_.http.call("DELETE", "/webrtc/sessions/" + id).status, 404);
    EXPECT_THAT(sessions_.closed(), IsEmpty());
    EXPECT_EQ(host_.http.call("DELETE", address).status, 200);
    EXPECT_THAT(sessions_.closed(), ElementsAre(Pair(id, "Stopped by user")));
    EXPECT_EQ(host_.http.call("DELETE", address).status, 404);
    EXPECT_EQ(sessions_.closed().size(), 1U);
}

TEST_F(WhipTest, ASessionThatEndedByItselfIsGone) {
    const auto address = run("/whep/cam");
    EXPECT_EQ(host_.http.call("GET", address).status, 204);
    sessions_.at(0).events->ended(true, "Failed by ICE timeout", "");
    EXPECT_EQ(host_.http.call("GET", address).status, 404);
    EXPECT_EQ(host_.http.call("DELETE", address).status, 404);
    EXPECT_EQ(patch(address, "", "*").status, 404);
}

TEST_F(WhipTest, CandidatesAreTakenAndRestartsAreNot) {
    const auto address = run("/whip/cam");
    const auto tag = created_.headers["ETag"];
    const std::string same =
        "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
    const auto answer = patch(address, same, tag);
    EXPECT_EQ(answer.status, 204);
    EXPECT_THAT(answer.headers, IsEmpty());
    EXPECT_EQ(patch(address, "a=ice-ufrag:new1\r\na=ice-pwd:y\r\n", "*").status, 422);
    EXPECT_EQ(patch(address, same, "").status, 428);
    EXPECT_EQ(patch(address, same, "\"other\"").status, 412);
    EXPECT_EQ(patch(address, same, tag, "application/sdp").status, 415);
    EXPECT_THAT(sessions_.closed(), IsEmpty()) << "none of these ends the session";
}

TEST_F(WhipTest, EndpointsHaveNoRepresentationAndLeavePreflightsToTheHost) {
    EXPECT_EQ(host_.http.call("GET", "/whip/cam").status, 204);
    EXPECT_EQ(host_.http.call("GET", "/whep/cam").status, 204);
    for (const auto& [method, path] : host_.http.routes()) EXPECT_NE(method, "OPTIONS");
}

TEST_F(WhipTest, CloseEndsAllOfThem) {
    run("/whip/a");
    const auto& waiting = ask("/whep/b");
    whip_.close();
    EXPECT_THAT(sessions_.closed(), ::testing::UnorderedElementsAre(
                                        Pair(sessions_.at(0).request.media_session, "Stopped by session disconnect"),
                                        Pair(waiting.request.media_session, "Stopped by session disconnect")));
    waiting.events->ended(false, "Stopped by session disconnect", "");
    EXPECT_EQ(answer_.get().status, 503);
}

}  // namespace
}  // namespace tapedeck::webrtc
