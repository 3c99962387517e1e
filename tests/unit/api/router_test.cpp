// Access, and the routes of plugins.
#include "api/router.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <future>
#include <latch>
#include <span>

#include "access/password.hpp"
#include "api/answers.hpp"
#include "api/plugin_routes.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "fixture.hpp"

namespace tapedeck::host::api::test {
namespace {

class RouterTest : public ServerTest {
protected:
    void let_in(std::string_view token) const {
        std::ofstream(folder_ / "access.yaml") << fmt::format("rest: {{tokens: [{{token: {}}}]}}\n", hash_token(token));
    }
};

TEST_F(RouterTest, ClosesRestToOtherNetworksAndSaysHowToOpenIt) {
    allowed_clients_ = "10.0.0.0/8";
    start();
    const auto reply = ask("POST", "/rest-api/recorder/find_all", {}, {{"Authorization", "Bearer x"}});
    EXPECT_EQ(reply.status, 403);
    EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
    EXPECT_NE(reply.body.find("rest.allowed_clients"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("conf/access.yaml"), std::string::npos) << reply.body;
    EXPECT_EQ(ask("GET", "/health").status, 200) << "only REST is closed";
    EXPECT_EQ(ask("POST", "/rest-api/nothing").status, 403) << "nor does it tell which calls there are";
    access_->reload("127.0.0.1");
    EXPECT_EQ(ask("POST", "/rest-api/recorder/find_all").status, 404) << "open: nothing is recorded";
}

TEST_F(RouterTest, OpensRestToCredentials) {
    allowed_clients_ = "";
    let_in("t0ken");
    recorder_.list = {{"a.mp4", "a"}};
    start();
    const auto missing = ask("POST", "/rest-api/recorder/find_all");
    EXPECT_EQ(missing.status, 401);
    EXPECT_EQ(missing.header("www-authenticate"), "Basic realm=\"tapedeck\", charset=\"UTF-8\"");
    EXPECT_NE(missing.body.find("rest.allowed_clients"), std::string::npos) << missing.body;
    EXPECT_EQ(ask("POST", "/rest-api/recorder/find_all", {}, {{"Authorization", "Bearer wrong"}}).status, 401);
    EXPECT_EQ(ask("POST", "/rest-api/recorder/find_all", {}, {{"Authorization", "Bearer t0ken"}}).status, 200);
    const auto posted = ask("POST", "/rest-api/stream/find", R"({"name":"x"})", {{"Authorization", "Bearer t0ken"}});
    EXPECT_EQ(posted.status, 404) << "the body came through";
}

TEST_F(RouterTest, TakesTheLongestPrefix) {
    start();
    const auto say = [](const char* text) {
        return [text](const Request&, const Answer& answer) { answer(text_answer(text, "text/plain")); };
    };
    router_->add({"GET"}, "/a/*", say("a"));
    router_->add({"GET"}, "/a/b/*", say("ab"));
    router_->add({"GET"}, "/a/b", say("exact"));
    for (const auto& [path, said] :
         {std::pair{"/a/", "a"}, {"/a/x", "a"}, {"/a/b", "exact"}, {"/a/b/c", "ab"}, {"/a/bc", "a"}}) {
        EXPECT_EQ(ask("GET", path).body, said) << path;
    }
    EXPECT_EQ(ask("GET", "/a").status, 404);
    EXPECT_THROW(router_->add({"GET"}, "/a/b", say("again")), Error);
    EXPECT_THROW(router_->add({"GET"}, "a", say("no slash")), Error);
}

TEST_F(RouterTest, TurnsWhatAHandlerThrowsIntoAnAnswer) {
    start();
    router_->add({"GET"}, "/gone", [](const Request&, const Answer&) { throw Error("gone \xff", TD_NOT_FOUND); });
    router_->add({"GET"}, "/broken", [](const Request&, const Answer&) { throw std::runtime_error("broken"); });
    EXPECT_EQ(ask("GET", "/gone").status, 404);
    EXPECT_NE(ask("GET", "/gone").body.find("\"gone ?\""), std::string::npos) << "what is no UTF-8 is replaced";
    EXPECT_EQ(ask("GET", "/broken").status, 500);
}

TEST_F(RouterTest, RemoveWaitsForRunningHandlers) {
    start();
    std::latch inside(1), leave(1);
    const int owner = 0;
    router_->add(
        {"GET"}, "/slow",
        [&](const Request&, const Answer& answer) {
            inside.count_down();
            leave.wait();
            answer(text_answer("done", "text/plain"));
        },
        &owner);
    auto reply = std::async(std::launch::async, [&] { return ask("GET", "/slow"); });
    inside.wait();
    auto removed = std::async(std::launch::async, [&] { router_->remove(&owner); });
    EXPECT_EQ(removed.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
    leave.count_down();
    removed.get();
    EXPECT_EQ(reply.get().body, "done");
    EXPECT_EQ(ask("GET", "/slow").status, 404);
}

// A plugin's side of tapedeck.http/1: answers with what it was asked, or keeps the request.
struct Plugin {
    static void echo(void*, const td_http_request* request, td_http_exchange* exchange) {
        auto body = fmt::format("{} {} {} {} {}", view(request->method), view(request->path), view(request->query),
                                view(request->remote), view(request->body));
        for (std::size_t i = 0; i < request->header_count; ++i) {
            const auto& [name, value] = request->headers[i];
            if (view(name) != "host") body += fmt::format(" {}={}", view(name), view(value));
        }
        const std::array headers{td_attribute{text_of("Location"), text_of("/whip/1")},
                                 td_attribute{text_of("Content-Length"), text_of("7")},
                                 td_attribute{text_of("Link"), text_of("<a>\r\nX: y")}};
        answer(exchange, 409, "text/plain", body, headers);
    }
    static void create(void*, const td_http_request*, td_http_exchange* exchange) {
        const std::array headers{td_attribute{text_of("ETag"), text_of("\"1\"")}};
        answer(exchange, 204, "", "no content has no body", headers);
    }
    static void answer(td_http_exchange* exchange, std::int32_t status, std::string_view type, std::string_view body,
                       std::span<const td_attribute> headers = {}) {
        const td_http_answer answer{sizeof(answer), status,         text_of(type),
                                    text_of(body),  headers.data(), headers.size()};
        PluginRoutes::table()->respond(exchange, &answer);
    }
    static void keep(void* self, const td_http_request*, td_http_exchange* exchange) {
        static_cast<std::promise<td_http_exchange*>*>(self)->set_value(exchange);
    }
};

TEST_F(RouterTest, LendsRoutesToPlugins) {
    const auto* http = PluginRoutes::table();
    td_error error{sizeof(td_error), 0, 0, {}};
    const auto* instance = reinterpret_cast<const td_context*>(this);  // only compared
    EXPECT_EQ(http->route(instance, text_of("POST"), text_of("/rest-api/x"), Plugin::echo, nullptr, &error),
              TD_UNSUPPORTED);
    start();
    PluginRoutes routes(*router_);
    EXPECT_EQ(http->route(instance, text_of("POST"), text_of("/rest-api/rtsp/startup"), Plugin::echo, nullptr, &error),
              TD_OK);
    EXPECT_EQ(http->route(instance, text_of("POST"), text_of("/rest-api/stream/find"), Plugin::echo, nullptr, &error),
              TD_EXISTS);
    EXPECT_NE(std::string(error.text).find("/rest-api/stream/find"), std::string::npos) << error.text;
    const auto reply = ask("POST", "/rest-api/rtsp/startup?a=b", "body", {{"Content-Type", "x/y"}});
    EXPECT_EQ(reply.status, 409);
    EXPECT_EQ(reply.body, "POST /rest-api/rtsp/startup a=b 127.0.0.1 body content-length=4 content-type=x/y");
    EXPECT_EQ(reply.header("location"), "/whip/1");
    EXPECT_EQ(reply.header("content-length"), std::to_string(reply.body.size())) << "lengths are the host's";
    EXPECT_EQ(reply.header("link"), "") << "a header must not bring others";
    EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
    EXPECT_EQ(ask("GET", "/rest-api/rtsp/startup").status, 405);

    std::promise<td_http_exchange*> kept;
    http->route(instance, text_of("GET"), text_of("/later"), Plugin::keep, &kept, &error);
    auto waiting = std::async(std::launch::async, [&] { return ask("GET", "/later"); });
    auto* exchange = kept.get_future().get();
    routes.remove(instance);
    EXPECT_EQ(ask("POST", "/rest-api/rtsp/startup").status, 404);
    Plugin::answer(exchange, 200, "text/plain\r\nX: y", "late");
    const auto late = waiting.get();
    EXPECT_EQ(late.body, "late");
    EXPECT_EQ(late.header("content-type"), "") << "a header must not bring others";
}

TEST_F(RouterTest, PathsOfPluginsAreOpenToEveryOrigin) {
    allowed_clients_ = "192.0.2.1";
    start();
    PluginRoutes routes(*router_);
    const auto* http = PluginRoutes::table();
    const auto* instance = reinterpret_cast<const td_context*>(this);  // only compared
    td_error error{sizeof(td_error), 0, 0, {}};
    for (const auto* method : {"POST", "PATCH", "DELETE"}) {
        http->route(instance, text_of(method), text_of("/whip/*"), Plugin::create, nullptr, &error);
    }
    auto once = client();
    const auto preflight = once.ask("OPTIONS", "/whip/cam");
    EXPECT_EQ(preflight.status, 200);
    EXPECT_EQ(preflight.header("access-control-allow-methods"), "DELETE, PATCH, POST, OPTIONS");
    EXPECT_EQ(preflight.header("access-control-allow-headers"), "Content-Type, Authorization, If-Match");
    for (const auto* method : {"POST", "PATCH", "DELETE"}) {
        const auto reply = once.ask(method, "/whip/cam/1", "body");
        EXPECT_EQ(reply.status_line, "HTTP/1.1 204 No Content") << method;
        EXPECT_EQ(reply.header("etag"), "\"1\"");
        EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
        EXPECT_EQ(reply.header("access-control-expose-headers"), "Location, ETag, Link, Allow");
        EXPECT_FALSE(reply.headers.contains("content-length")) << "RFC 9110 section 8.6";
    }
    const auto refused = once.ask("GET", "/whip/cam");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header("allow"), "DELETE, PATCH, POST");
    http->route(instance, text_of("OPTIONS"), text_of("/whip/*"), Plugin::create, nullptr, &error);
    EXPECT_EQ(once.ask("OPTIONS", "/whip/cam").status, 204) << "the plugin's own";
    EXPECT_EQ(ask("GET", "/health").header("access-control-allow-origin"), "");
    routes.remove(instance);
}

}  // namespace
}  // namespace tapedeck::host::api::test
