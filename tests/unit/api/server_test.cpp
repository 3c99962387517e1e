// The listeners: limits, timeouts, TLS, ports, start and end.
#include "api/server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "fixture.hpp"

namespace tapedeck::host::api::test {
namespace {

using namespace std::chrono_literals;

std::string contents(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

TEST_F(ServerTest, KeepsConnectionsForFurtherRequests) {
    start();
    auto connection = client();
    EXPECT_EQ(connection.ask("GET", "/health").status, 200);
    EXPECT_EQ(connection.ask("GET", "/health").header("connection"), "");
    connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(connection.receive().value().status, 200);
    EXPECT_EQ(connection.receive().value().status, 404) << "requests in one packet are answered in order";
    EXPECT_EQ(connection.ask("GET", "/health", {}, {{"Connection", "close"}}).header("connection"), "close");
    EXPECT_TRUE(connection.is_ended());
}

TEST_F(ServerTest, EndsHttp10ConnectionsAfterTheAnswer) {
    start();
    auto connection = client();
    connection.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto reply = connection.receive();
    EXPECT_EQ(reply.value().status, 200);
    EXPECT_EQ(reply.value().header("connection"), "close");
    EXPECT_TRUE(connection.is_ended());
}

TEST_F(ServerTest, TakesRequestsInAnyPieces) {
    recorder_.sessions = {"a"};
    start();
    auto connection = client();
    const std::string request =
        "POST /rest-api/recorder/startup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"med\r\n13\r\niaSessionId\" : \"a\"}\r\n0\r\n\r\n";
    for (const char& c : request) ASSERT_TRUE(connection.send({&c, 1}));
    EXPECT_EQ(connection.receive().value().status, 200);
    EXPECT_EQ(recorder_.started.size(), 1U);
}

TEST_F(ServerTest, AsksForABodyThatWaitsForIt) {
    recorder_.sessions = {"a"};
    start();
    auto connection = client();
    connection.send(
        "POST /rest-api/recorder/startup HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(connection.receive().value().status_line, "HTTP/1.1 100 Continue");
    connection.send("{\"mediaSessionId\":\"a\"} ");
    EXPECT_EQ(connection.receive().value().status, 200);
}

TEST_F(ServerTest, RefusesBodiesBeyondTheLimit) {
    start();
    const std::string large(10'000'000, 'x');
    const auto expect_refused = [](const std::optional<Reply>& reply) {
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->status, 413);
        EXPECT_EQ(reply->header("access-control-allow-origin"), "*");
        EXPECT_NE(reply->body.find("rest.max_body"), std::string::npos) << reply->body;
        EXPECT_NE(reply->body.find("\"path\":\"/rest-api/recorder/startup\""), std::string::npos) << reply->body;
    };
    auto connection = client();
    expect_refused(connection.ask("POST", "/rest-api/recorder/startup", large));
    EXPECT_TRUE(connection.is_ended());

    auto chunked = client();
    chunked.send("POST /rest-api/recorder/startup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n");
    chunked.send(large);
    expect_refused(chunked.receive());
    EXPECT_TRUE(chunked.is_ended());
}

TEST_F(ServerTest, ReadsNoBodiesFromWhoIsNotAllowed) {
    allowed_clients_ = "10.0.0.0/8";
    start();
    auto connection = client();
    connection.send("POST /rest-api/recorder/startup HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(connection.receive().value().status, 403) << "answered before the body came";
    EXPECT_TRUE(connection.is_ended());
}

TEST_F(ServerTest, RefusesHeadsBeyondTheLimitAndWhatIsNoHttp) {
    start();
    for (const auto& [request, status] : {
             std::pair{"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
             {"GET /" + std::string(40'000, 'x'), 431},
             {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400},
             {std::string("hello\r\n\r\n"), 400},
             {std::string("GET x HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
             {std::string("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400},
             {std::string("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
         }) {
        auto connection = client();
        connection.send(request);
        const auto reply = connection.receive();
        ASSERT_TRUE(reply) << request.substr(0, 40);
        EXPECT_EQ(reply->status, status) << request.substr(0, 40);
        EXPECT_TRUE(connection.is_ended()) << request.substr(0, 40);
    }
}

TEST_F(ServerTest, TakesTheAbsoluteFormOfProxies) {
    start();
    auto connection = client();
    EXPECT_EQ(connection.ask("GET", "http://localhost:8081/health?x").status, 200);
    EXPECT_EQ(connection.ask("GET", "http://localhost:8081").status, 404);
}

TEST_F(ServerTest, ClosesClientsThatSendNothing) {
    options_.idle_timeout = options_.request_timeout = 100ms;
    start();
    auto silent = client();
    EXPECT_TRUE(silent.is_ended()) << "no request at all";
    auto slow = client();
    slow.send("GET /health HT");
    EXPECT_TRUE(slow.is_ended()) << "half a request";
    auto between = client();
    EXPECT_EQ(between.ask("GET", "/health").status, 200);
    EXPECT_TRUE(between.is_ended()) << "no second request";
}

TEST_F(ServerTest, ClosesClientsThatReadNothing) {
    options_.write_timeout = 100ms;
    write("large.ts", std::string(30'000'000, 'x'));
    start();
    const auto& open = metrics::gauge("tapedeck_http_connections", "", "");
    auto slow = client();
    slow.shrink_receive_buffer();
    slow.send("GET /client/records/large.ts HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(slow.receive(true).value().status, 200);
    EXPECT_EQ(ask("GET", "/health").status, 200) << "others are served meanwhile";
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (open > 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    EXPECT_EQ(open, 0);
}

TEST_F(ServerTest, TakesLongerThanOneWaitMay) {
    options_.idle_timeout = 100ms;
    recorder_.sessions = {"a"};
    recorder_.hold_stops = true;
    start();
    auto connection = client();
    EXPECT_EQ(connection.ask("GET", "/health").status, 200);
    const auto begun = std::chrono::steady_clock::now();
    std::thread releases([&] {
        recorder_.await_stops(1);
        std::this_thread::sleep_until(begun + 200ms);
        recorder_.release_stops();
    });
    EXPECT_EQ(connection.ask("POST", "/rest-api/recorder/terminate", R"({"mediaSessionId":"a"})").status, 200);
    releases.join();
    EXPECT_TRUE(connection.is_ended()) << "and waits no longer than it may";
}

TEST_F(ServerTest, AnswersForHandlersThatDoNot) {
    options_.answer_timeout = 50ms;
    recorder_.sessions = {"a"};
    recorder_.hold_stops = true;
    start();
    const auto reply = ask("POST", "/rest-api/recorder/terminate", R"({"mediaSessionId":"a"})");
    EXPECT_EQ(reply.status, 504);
    EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
    recorder_.release_stops();  // too late, and harmless
}

TEST_F(ServerTest, DropsConnectionsBeyondTheLimit) {
    options_.connections = 2;
    start();
    auto first = client(), second = client();
    EXPECT_EQ(first.ask("GET", "/health").status, 200);
    EXPECT_EQ(second.ask("GET", "/health").status, 200);
    auto third = client();
    EXPECT_TRUE(third.is_ended());
    EXPECT_EQ(first.ask("GET", "/health").status, 200);
}

TEST_F(ServerTest, StopsWhileRequestsWaitAndAnswersComeLate) {
    recorder_.sessions = {"a"};
    recorder_.hold_stops = true;
    start();
    auto waiting = std::async(std::launch::async,
                              [&] { return ask("POST", "/rest-api/recorder/terminate", R"({"mediaSessionId":"a"})"); });
    auto idle = client();
    EXPECT_EQ(idle.ask("GET", "/health").status, 200);
    recorder_.await_stops(1);
    server_->stop(50ms);
    EXPECT_EQ(waiting.get().status, 0) << "the connection was closed";
    EXPECT_TRUE(idle.is_ended());
    EXPECT_THROW(client(), std::runtime_error);
    server_.reset();
    recorder_.release_stops();
}

TEST_F(ServerTest, GivesRequestsTimeToBeAnsweredWhenItStops) {
    recorder_.sessions = {"a"};
    recorder_.hold_stops = true;
    start();
    auto waiting = std::async(std::launch::async,
                              [&] { return ask("POST", "/rest-api/recorder/terminate", R"({"mediaSessionId":"a"})"); });
    recorder_.await_stops(1);
    auto stopping = std::async(std::launch::async, [&] { server_->stop(10s); });
    recorder_.release_stops();
    EXPECT_EQ(waiting.get().status, 200);
    stopping.get();
}

TEST_F(ServerTest, NamesPortAndSettingThatCannotBeBound) {
    start();
    auto taken = options_;
    taken.http_port = server_->http_port();
    try {
        Server second(taken, *router_, *workers_);
        ADD_FAILURE() << "two servers on one port";
    } catch (const Error& failure) {
        EXPECT_EQ(std::string(failure.what()),
                  fmt::format("http.port = {0}: cannot listen on 127.0.0.1:{0}: Address already in use; choose another "
                              "port, or 0 for any free one",
                              taken.http_port));
    }
    taken.address = "localhost";
    EXPECT_THROW(Server(taken, *router_, *workers_), Error);
}

TEST_F(ServerTest, ListensOnBothFamilies) {
    options_.address = "*";
    start();
    EXPECT_EQ(ask("GET", "/health").status, 200);
    EXPECT_EQ(ask("POST", "/rest-api/recorder/find_all").status, 404) << "127.0.0.1 is known also over an IPv6 socket";
}

TEST_F(ServerTest, MakesASelfSignedCertificateOnce) {
    options_.https = true;
    start();
    const auto key = folder_ / "conf" / "self-signed.key";
    struct stat facts {};
    ASSERT_EQ(::stat(key.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    EXPECT_EQ(Client(server_->https_port(), Client::Tls{}).ask("GET", "/health").status, 200);
    const auto first = contents(key);
    Server second(options_, *router_, *workers_);
    EXPECT_EQ(contents(key), first) << "clients that trust it must go on";
}

TEST_F(ServerTest, SaysWhatToSetWhereACertificateCannotBeKept) {
    options_.https = true;
    std::ofstream(options_.conf_folder) << "a file where the folder should be";
    try {
        start();
        ADD_FAILURE();
    } catch (const Error& failure) {
        const std::string said = failure.what();
        EXPECT_NE(said.find("set tls.certificate and tls.key, or https.enabled = false"), std::string::npos) << said;
    }
}

TEST_F(ServerTest, SpeaksTls12And13Only) {
    options_.https = true;
    start();
    for (const auto& [version, works] :
         {std::pair{TLS1_VERSION, false}, {TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}}) {
        const Client::Tls only{version, version};
        if (works) {
            EXPECT_EQ(Client(server_->https_port(), only).ask("GET", "/health").status, 200) << version;
        } else {
            EXPECT_THROW(Client(server_->https_port(), only), std::runtime_error) << version;
        }
    }
}

TEST_F(ServerTest, SurvivesPlainTextOnTheTlsPort) {
    options_.https = true;
    start();
    Client plain(server_->https_port());
    plain.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(plain.is_ended());
    EXPECT_EQ(Client(server_->https_port(), Client::Tls{}).ask("GET", "/health").status, 200);
}

TEST_F(ServerTest, RefusesCertificatesThatCannotBeUsed) {
    options_.https = true;
    start();
    const auto good = folder_ / "conf" / "self-signed.crt", key = folder_ / "conf" / "self-signed.key";
    std::ofstream(folder_ / "bad.pem") << "not PEM\n";
    for (const auto& [certificate, private_key, part] : {
             std::tuple{folder_ / "none.pem", key, "tls.certificate = "},
             {folder_ / "bad.pem", key, "tls.certificate = "},
             {good, folder_ / "bad.pem", "tls.key = "},
             {good, std::filesystem::path(), "tls.certificate is set without tls.key"},
             {std::filesystem::path(), key, "tls.key is set without tls.certificate"},
         }) {
        auto changed = options_;
        changed.certificate = certificate;
        changed.key = private_key;
        try {
            server_->reload(changed);
            ADD_FAILURE() << certificate;
        } catch (const Error& failure) {
            EXPECT_TRUE(std::string(failure.what()).starts_with(part)) << failure.what();
        }
    }
    EXPECT_EQ(Client(server_->https_port(), Client::Tls{}).ask("GET", "/health").status, 200)
        << "the old certificate stays in use";
}

TEST_F(ServerTest, TakesANewCertificateWhileConnectionsGoOn) {
    options_.https = true;
    start();
    Client before(server_->https_port(), Client::Tls{});
    EXPECT_EQ(before.ask("GET", "/health").status, 200);
    const auto first = before.peer_certificate();
    std::filesystem::remove_all(folder_ / "conf");
    auto changed = options_;
    changed.body_bytes = 10;
    server_->reload(changed);
    Client after(server_->https_port(), Client::Tls{});
    EXPECT_NE(after.peer_certificate(), first);
    EXPECT_EQ(after.ask("POST", "/rest-api/stream/find", R"({"name":"12345"})").status, 413) << "limits are new too";
    EXPECT_EQ(before.ask("GET", "/health").status, 200);
}

}  // namespace
}  // namespace tapedeck::host::api::test
