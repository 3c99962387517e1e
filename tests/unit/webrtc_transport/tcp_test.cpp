#include "webrtc/transport/tcp.hpp"

#include <gtest/gtest.h>

#include "loopback.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::milliseconds;

class TcpTest : public Loopback {
protected:
    /// Whatever was sent to the server's only thread before this is worked on afterwards.
    void settle(const Transport& transport) {
        Client other(host_, theirs_, transport.fingerprint(), "127.0.0.77");
        const auto before = transport.counters().strange;
        other.to(transport.addresses()[0]);
        other.send(check_of(other.server_));
        ASSERT_TRUE(other.wait([&] { return transport.counters().strange > before; }));
    }
    static void play(Transport& transport, const Client& client, std::uint16_t first, int count,
                     std::size_t size = 500) {
        transport.with(client.server_.ufrag, [=](Peer& peer) {
            for (int i = 0; i < count; ++i) {
                Bytes packet(size);
                const auto sequence = first + i;
                packet[0] = 0x80;
                packet[2] = static_cast<std::uint8_t>(sequence >> 8 & 0xff);
                packet[3] = static_cast<std::uint8_t>(sequence & 0xff);
                EXPECT_TRUE(peer.send_rtp(packet));
            }
        });
    }
};

TEST(Framing, PacketsAreTakenWholeOrNotAtAll) {
    Bytes stream;
    append_frame(stream, Bytes{1, 2, 3});
    append_frame(stream, {});
    append_frame(stream, Bytes(longest_frame, std::uint8_t{7}));
    for (std::size_t there = 0; there < 5; ++there) {
        std::span<std::uint8_t> rest = std::span(stream).first(there);
        EXPECT_FALSE(take_frame(rest));
        EXPECT_EQ(rest.size(), there);
    }
    std::span<std::uint8_t> rest(stream);
    EXPECT_EQ(take_frame(rest)->size(), 3u);
    EXPECT_EQ(take_frame(rest)->size(), 0u);
    EXPECT_EQ(take_frame(rest)->size(), longest_frame);
    EXPECT_TRUE(rest.empty());
    Bytes longer;
    append_frame(longer, Bytes(longest_frame + 1));
    rest = std::span(longer).first(2);
    EXPECT_THROW(take_frame(rest), Malformed);
}

TEST_F(TcpTest, APeerConnectsAndMediaGoesBothWays) {
    {
        Transport transport(context_, on("127.0.0.1"));
        Client client(host_, theirs_, transport.fingerprint());
        transport.add(client.expected(), heard_);
        ASSERT_TRUE(client.use_tcp(transport.addresses()[0]));
        ASSERT_TRUE(client.connect(transport.addresses()[0]));
        ASSERT_TRUE(heard_->wait_for("connected;"));
        std::vector<int> sent;
        for (std::uint8_t i = 0; i < 100; ++i) {
            client.send_rtp(i);
            sent.push_back(i);
        }
        ASSERT_TRUE(heard_->wait_for_packets(100));
        EXPECT_EQ(heard_->sequences(), sent) << "what was kept stays as it is";
        play(transport, client, 0, 50);
        EXPECT_TRUE(client.wait([&] { return client.packets_ == 50; }));
        transport.remove(client.server_.ufrag);
        EXPECT_TRUE(client.wait([&] { return client.story_ == "connected;ended;"; }));
        EXPECT_TRUE(heard_->wait_for("connected;ended;"));
        EXPECT_TRUE(client.wait_for_close());
        EXPECT_EQ(transport.counters().dropped, 0u);
    }
    heard_.reset();
    EXPECT_EQ(testkit::FakeHost::live_buffers(), 0);
}

TEST_F(TcpTest, FramesMayComeInPiecesAndTogether) {
    Transport transport(context_, on("127.0.0.1"));
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.use_tcp(transport.addresses()[0]));
    ASSERT_TRUE(client.connect(transport.addresses()[0]));
    const auto first = client.framed_rtp(1);
    for (const auto& [from, to] : {std::pair{0u, 1u}, {1u, 2u}, {2u, 3u}, {3u, 100u}, {100u, 310u}}) {
        client.send_stream(ByteSpan(first).subspan(from, to - from));
        settle(transport);
    }
    auto rest = ByteSpan(first).subspan(310);
    Bytes glued(rest.begin(), rest.end());
    for (std::uint8_t i = 2; i < 60; ++i) {
        const auto next = client.framed_rtp(i);
        glued.insert(glued.end(), next.begin(), next.end());
        glued.insert(glued.end(), {0, 0});  // an empty one says nothing
        if (i % 2 == 0) glued.insert(glued.end(), {0, 1, 0xff});
    }
    const auto last = client.framed_rtp(60);
    glued.insert(glued.end(), last.begin(), last.end() - 1);
    client.send_stream(glued);
    ASSERT_TRUE(heard_->wait_for_packets(59));
    client.send_stream(ByteSpan(last).last(1));
    ASSERT_TRUE(heard_->wait_for_packets(60));
    std::vector<int> all(60);
    for (int i = 0; i < 60; ++i) all[static_cast<std::size_t>(i)] = i + 1;
    EXPECT_EQ(heard_->sequences(), all);
    EXPECT_EQ(heard_->crooked(), 0) << "libsrtp reads words";
}

TEST_F(TcpTest, APeerMovesBetweenUdpAndTcpAndStaysOnItsThread) {
    Transport transport(context_, on("127.0.0.1", 2));
    const auto server = transport.addresses()[0];
    for (int i = 0; i < 8; ++i) {
        Client client(host_, theirs_, transport.fingerprint());
        const auto heard = std::make_shared<Heard>();
        transport.add(client.expected(), heard);
        const bool begins_by_tcp = i % 2 == 1;
        ASSERT_TRUE(!begins_by_tcp || client.use_tcp(server));
        ASSERT_TRUE(client.connect(server));
        client.send_rtp(1);
        ASSERT_TRUE(heard->wait_for_packets(1));
        client.use_udp();
        ASSERT_TRUE(client.check(server));
        client.send_rtp(2);
        ASSERT_TRUE(heard->wait_for_packets(2));
        ASSERT_TRUE(client.use_tcp(server));
        ASSERT_TRUE(client.check(server));
        client.send_rtp(3);
        ASSERT_TRUE(heard->wait_for_packets(3));
        play(transport, client, 0, 1);
        EXPECT_TRUE(client.wait([&] { return client.packets_ == 1; })) << "it goes where the last check came from";
        client.use_udp();
        ASSERT_TRUE(client.check(server));
        // What is sent before the connection's end is seen goes there.
        EXPECT_TRUE(client.wait([&] { return client.packets_ >= 2; }, [&] { play(transport, client, 1, 1); }));
        EXPECT_EQ(heard->sequences(), (std::vector<int>{1, 2, 3}));
    }
    EXPECT_GT(transport.counters().forwarded, 0u) << "some were accepted by the other thread";
}

TEST_F(TcpTest, WhoeverClosesHisConnectionIsSentToWhereElseHeIs) {
    Transport transport(context_, on("127.0.0.1"));
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.connect(server));
    ASSERT_TRUE(client.use_tcp(server));
    ASSERT_TRUE(client.check(server));
    client.use_udp();  // closes, and sends no check
    std::uint16_t sent = 0;
    EXPECT_TRUE(client.wait([&] { return client.packets_ > 0; }, [&] { play(transport, client, sent++, 1); }));
    EXPECT_TRUE(heard_->wait_for("connected;"));
}

TEST_F(TcpTest, WhatIsNoCheckOfAPeerIsClosedAtOnce) {
    Transport transport(context_, on("127.0.0.1"));
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    const auto framed = [](const Bytes& packet) {
        Bytes made;
        append_frame(made, packet);
        return made;
    };
    const std::string http = "GET / HTTP/1.1\r\n\r\n";
    for (const auto& bytes :
         {Bytes(http.begin(), http.end()), framed(Bytes(300, std::uint8_t{0x80})), framed(Bytes(40, std::uint8_t{22})),
          framed(Bytes(20, std::uint8_t{0})), framed(check_of(IceCredentials::make())),
          framed(check_of({client.server_.ufrag, "not the password"}))}) {
        ASSERT_TRUE(client.use_tcp(server));
        client.send_stream(bytes);
        EXPECT_TRUE(client.wait_for_close()) << "first byte " << int{bytes[0]};
    }
    // And a peer's own connection, once its frames have no sense any more.
    ASSERT_TRUE(client.use_tcp(server));
    ASSERT_TRUE(client.connect(server));
    client.send_stream(Bytes(100, std::uint8_t{0xff}));
    EXPECT_TRUE(client.wait_for_close());
    ASSERT_TRUE(client.use_tcp(server));
    ASSERT_TRUE(client.check(server));
    client.send_rtp(1);
    EXPECT_TRUE(heard_->wait_for_packets(1));
}

TEST_F(TcpTest, ConnectionsWithoutACheckAreFew) {
    auto config = on("127.0.0.1");
    config.tcp.unverified = 4;
    Transport transport(context_, config);
    const auto server = transport.addresses()[0];
    std::vector<std::unique_ptr<Client>> idle;
    for (int i = 0; i < 7; ++i) {
        idle.push_back(std::make_unique<Client>(host_, theirs_, transport.fingerprint()));
        ASSERT_TRUE(idle.back()->use_tcp(server));
    }
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(idle[static_cast<std::size_t>(i)]->wait_for_close()) << i;
    for (std::size_t i = 3; i < 7; ++i) {
        idle[i]->take();
        EXPECT_FALSE(idle[i]->is_closed_) << i;
    }
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.use_tcp(server));
    ASSERT_TRUE(client.connect(server));
    EXPECT_TRUE(idle[3]->wait_for_close()) << "the oldest makes room";
    for (int i = 0; i < 5; ++i) {
        idle.push_back(std::make_unique<Client>(host_, theirs_, transport.fingerprint()));
        ASSERT_TRUE(idle.back()->use_tcp(server));
    }
    client.send_rtp(1);
    EXPECT_TRUE(heard_->wait_for_packets(1)) << "a peer's connection is not among them";
}

TEST_F(TcpTest, NobodyTakesTheRoomOfOthersWithoutACheck) {
    auto config = on("127.0.0.1");
    config.tcp.unverified = 6;
    config.tcp.unverified_of_one = 3;
    Transport transport(context_, config);
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint(), "127.0.0.5");
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.use_tcp(server));
    std::vector<std::unique_ptr<Client>> idle;
    for (int i = 0; i < 12; ++i) {
        idle.push_back(std::make_unique<Client>(host_, theirs_, transport.fingerprint()));
        ASSERT_TRUE(idle.back()->use_tcp(server));
    }
    for (std::size_t i = 0; i < 9; ++i) EXPECT_TRUE(idle[i]->wait_for_close()) << i;
    idle[9]->take();
    EXPECT_FALSE(idle[9]->is_closed_);
    EXPECT_TRUE(client.connect(server));
}

TEST_F(TcpTest, AConnectionWithoutACheckHasItsTime) {
    auto config = on("127.0.0.1");
    config.tcp.patience = milliseconds(20);
    Transport transport(context_, config);
    Client idle(host_, theirs_, transport.fingerprint()), half(host_, theirs_, transport.fingerprint());
    ASSERT_TRUE(idle.use_tcp(transport.addresses()[0]));
    ASSERT_TRUE(half.use_tcp(transport.addresses()[0]));
    half.send_stream(Bytes{0, 100, 0});
    EXPECT_TRUE(idle.wait_for_close());
    EXPECT_TRUE(half.wait_for_close());
}

TEST_F(TcpTest, ASlowReaderLosesWholePacketsAndNobodyElseDoes) {
    auto config = on("127.0.0.1");
    config.tcp.queued = 64 << 10;
    Transport transport(context_, config);
    const auto server = transport.addresses()[0];
    Client slow(host_, theirs_, transport.fingerprint()), other(host_, theirs_, transport.fingerprint());
    const auto heard = std::make_shared<Heard>();
    transport.add(slow.expected(), heard_);
    transport.add(other.expected(), heard);
    ASSERT_TRUE(slow.use_tcp(server, 4096));
    ASSERT_TRUE(slow.connect(server));
    ASSERT_TRUE(other.use_tcp(server));
    ASSERT_TRUE(other.connect(server));
    std::uint16_t sent = 0;
    while (transport.counters().dropped < 50 && sent < 20'000) {
        play(transport, slow, sent, 20, 1200);
        play(transport, other, sent, 1, 1200);
        sent = static_cast<std::uint16_t>(sent + 20);
        const int expected = sent / 20;
        ASSERT_TRUE(other.wait([&] { return other.packets_ == expected; }));
    }
    settle(transport);
    const auto dropped = static_cast<int>(transport.counters().dropped);
    EXPECT_GE(dropped, 50);
    EXPECT_LT(sent, 2000) << "of 1200 bytes: neither the queue nor the system holds more than it should";
    EXPECT_TRUE(slow.wait([&] { return slow.packets_ == sent - dropped; })) << slow.packets_ << " of " << sent;
    play(transport, slow, sent, 1);
    EXPECT_TRUE(slow.wait([&] { return slow.packets_ == sent - dropped + 1; }));
}

TEST_F(TcpTest, WithoutTcpNobodyListens) {
    auto config = on("127.0.0.1");
    config.has_tcp = false;
    Transport transport(context_, config);
    EXPECT_FALSE(transport.has_tcp());
    Client client(host_, theirs_, transport.fingerprint());
    EXPECT_FALSE(client.use_tcp(transport.addresses()[0]));
}

}  // namespace
}  // namespace tapedeck::webrtc
