// The plugin as the host sees it: what it refuses, and what it says when nobody answers.
#include "tapedeck/plugin.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

#include "testkit/fake_host.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::webhook {
namespace {

/// The system takes connections for it, and nobody ever answers.
class Silence {
public:
    Silence() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        if (::bind(socket_, any, size) != 0 || ::listen(socket_, 8) != 0 || ::getsockname(socket_, any, &size) != 0)
            throw std::runtime_error("no socket for the test");
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() { ::close(socket_); }
    const std::string& url() const { return url_; }

private:
    int socket_;
    std::string url_;
};

class Webhooks : public testing::Test {
protected:
    Webhooks() { ::setenv("no_proxy", "127.0.0.1", 1); }
    ~Webhooks() override {
        if (self_ != nullptr) table().destroy(self_);
    }
    static const td_hook& table() { return *static_cast<const td_hook*>(TD_ENTRY.extensions[0]->table); }
    td_status create() {
        error_ = empty_error();
        return table().create(host_.table(), host_.context(), &self_, &error_);
    }
    td_status event(std::int32_t kind) {
        td_recording recording{};
        recording.size = sizeof recording;
        recording.stream = text_of("cam1");
        const td_event event{sizeof(td_event), kind, 1, 0, text_of("1-stored"), &recording, {}};
        error_ = empty_error();
        return table().event(self_, &event, &error_);
    }

    testkit::FakeHost host_{*TD_ENTRY.extensions[0]};
    td_error error_ = empty_error();
    void* self_ = nullptr;
};

TEST_F(Webhooks, AreSeveralHooksOfDifferentNames) {
    std::set<std::string> names;
    for (std::size_t n = 0; n < TD_ENTRY.extension_count; ++n) names.insert(TD_ENTRY.extensions[n]->id);
    EXPECT_EQ(names, (std::set<std::string>{"backend", "webhook", "webhook2", "webhook3", "webhook4"}));
}

TEST_F(Webhooks, NeverShowTheUrlAndTheSecret) {
    for (std::size_t n = 0; n < TD_ENTRY.extension_count; ++n) {
        for (std::uint32_t k = 0; k < TD_ENTRY.extensions[n]->key_count; ++k) {
            const td_key& key = *TD_ENTRY.extensions[n]->keys[k];
            const bool hidden = std::string(key.name) == "url" || std::string(key.name) == "secret";
            EXPECT_EQ((key.flags & TD_KEY_SECRET) != 0, hidden) << key.name;
        }
    }
}

TEST_F(Webhooks, RefuseAUrlThatIsNone) {
    host_.settings.set("url", "example.com/hook?token=hidden");
    EXPECT_EQ(create(), TD_MALFORMED);
    const std::string text = error_.text;
    EXPECT_TRUE(text.starts_with("hook.webhook.url: ")) << text;
    EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
}

TEST_F(Webhooks, RefuseAMissingFileOfAuthorities) {
    host_.settings.set("url", "https://example.com");
    host_.settings.set("ca_file", "/nowhere/ca.pem");
    EXPECT_EQ(create(), TD_NOT_FOUND);
    EXPECT_STREQ(error_.text, "hook.webhook.ca_file: there is no file /nowhere/ca.pem");
}

TEST_F(Webhooks, AreTriedAgainWhenNobodyListensAndTellOnlyTheOrigin) {
    host_.settings.set("url", "http://user:word@127.0.0.1:1/path?token=hidden");
    host_.settings.set("secret", "s3cret");
    ASSERT_EQ(create(), TD_OK) << error_.text;
    EXPECT_EQ(event(TD_RECORD_STORED), TD_FAILED);
    EXPECT_EQ(error_.retryable, 1u);
    const std::string text = error_.text;
    EXPECT_NE(text.find("http://127.0.0.1:1"), std::string::npos) << text;
    for (const char* hidden : {"word", "hidden", "s3cret"}) EXPECT_EQ(text.find(hidden), std::string::npos) << text;
    EXPECT_TRUE(host_.log().empty());
}

TEST_F(Webhooks, WaitNoLongerThanTheirLimit) {
    const Silence silence;
    host_.settings.set("url", silence.url());
    host_.settings.set("timeout", "50ms");
    ASSERT_EQ(create(), TD_OK) << error_.text;
    EXPECT_EQ(event(TD_RECORD_STORED), TD_TIMEOUT);
    EXPECT_EQ(error_.retryable, 1u);
    EXPECT_NE(std::string(error_.text).find("did not answer within 50 ms"), std::string::npos) << error_.text;
}

TEST_F(Webhooks, GiveUpWhenTheHostStops) {
    const Silence silence;
    host_.settings.set("url", silence.url());
    host_.settings.set("timeout", "60s");
    ASSERT_EQ(create(), TD_OK) << error_.text;
    host_.cancel();
    EXPECT_EQ(event(TD_RECORD_STORED), TD_CANCELLED);
    EXPECT_EQ(error_.retryable, 1u);
}

TEST_F(Webhooks, KeepAnEventWhileTheirUrlIsWrong) {
    host_.settings.set("url", "http://127.0.0.1:1/");
    ASSERT_EQ(create(), TD_OK) << error_.text;
    host_.settings.set("url", "nonsense");
    EXPECT_EQ(event(TD_RECORD_STORED), TD_MALFORMED);
    EXPECT_EQ(error_.retryable, 1u);
}

TEST_F(Webhooks, HaveNoFailureInTheFormOfFlashphoner) {
    host_.settings.set("url", "http://127.0.0.1:1/");
    host_.settings.set("form", "wcs");
    ASSERT_EQ(create(), TD_OK) << error_.text;
    EXPECT_EQ(event(TD_RECORD_FAILED), TD_OK);
    EXPECT_EQ(event(TD_RECORD_STARTED), TD_FAILED);
}

}  // namespace
}  // namespace tapedeck::webhook
