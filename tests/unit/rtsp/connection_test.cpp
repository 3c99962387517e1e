#include "rtsp/connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "testkit/fake_host.hpp"

namespace tapedeck::rtsp {
namespace {

/// A connection whose other side is the test.
class ConnectionTest : public ::testing::Test, protected Incoming {
protected:
    ConnectionTest() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) throw Error("no sockets");
        peer_ = Descriptor(ends[0]);
        connection_.emplace(Context(host_.table(), host_.context()), Descriptor(ends[1]), nullptr);
    }
    bool message(const Message& message) override {
        messages_.push_back(message);
        return true;
    }
    void packet(std::uint8_t channel, ByteSpan packet, const Buffer&) override {
        channels_.push_back(channel);
        bytes_ += packet.size();
    }
    /// Sends all of it, read as it comes.
    void receive(std::string_view text) {
        while (!text.empty()) {
            const auto sent = ::send(peer_.get(), text.data(), std::min<std::size_t>(text.size(), 8192), MSG_NOSIGNAL);
            if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
            connection_->read(*this);
        }
    }
    std::string refusal(std::string_view text) {
        try {
            receive(text);
        } catch (const Malformed& e) {
            return e.what();
        }
        return "none";
    }

    testkit::FakeHost host_;
    Descriptor peer_;
    std::optional<Connection> connection_;
    std::vector<Message> messages_;
    std::vector<std::uint8_t> channels_;
    std::size_t bytes_ = 0;
};

TEST_F(ConnectionTest, ReadsWhatComesInPieces) {
    using namespace std::string_literals;
    const auto text = "$\1\0\3abc"s + "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nhi\r\n$\2\0\0$\3\0\1x"s;
    for (const char c : text) receive({&c, 1});
    ASSERT_EQ(messages_.size(), 1u);
    EXPECT_EQ(messages_[0].body, "hi");
    EXPECT_EQ(channels_, (std::vector<std::uint8_t>{1, 3})) << "one of no bytes is none";
    EXPECT_EQ(bytes_, 4u);
}

TEST_F(ConnectionTest, EndsWhereAMessageIsBeyondReason) {
    EXPECT_EQ(refusal("RTSP/1.0 200 OK\r\nContent-Length: 4294967295\r\n\r\n"), "RTSP: a body of 4294967295 bytes");
}

TEST_F(ConnectionTest, EndsWhereHeadersDoNot) {
    std::string endless = "RTSP/1.0 200 OK\r\n";
    for (int i = 0; i < 100'000; ++i) endless += "A: b\r\n";
    EXPECT_EQ(refusal(endless), "RTSP: a head of over 16 KiB");
    EXPECT_TRUE(messages_.empty());
}

TEST_F(ConnectionTest, EndsWhereALineDoesNot) {
    EXPECT_EQ(refusal("OPTIONS " + std::string(1'000'000, 'x')), "RTSP: a head of over 16 KiB");
}

TEST_F(ConnectionTest, TakesPacketsOfTheirLargestSize) {
    receive(std::string("$\0\xff\xff", 4) + std::string(65'535, 'x'));
    EXPECT_EQ(bytes_, 65'535u);
    EXPECT_EQ(host_.live_buffers(), 0) << "nothing of them is kept";
}

TEST_F(ConnectionTest, EndsWhereNobodyReadsWhatItSays) {
    const std::string line(1000, 'x');
    std::size_t told = 0;
    EXPECT_THROW(
        {
            for (; told < 100'000'000; told += line.size()) connection_->send(line);
        },
        Error);
    EXPECT_LT(told, 2'000'000u) << "what the system holds, and 256 KiB";
}

}  // namespace
}  // namespace tapedeck::rtsp
