#include "webrtc/transport/transport.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <list>
#include <set>
#include <thread>

#include "loopback.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::milliseconds;

class TransportTest : public Loopback {};

/// A peer is told its end before its name is free again.
bool empties(const Transport& transport) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (transport.size() != 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return transport.size() == 0;
}

TEST_F(TransportTest, APeerConnectsAndMediaGoesBothWays) {
    {
        Transport transport(context_, on("127.0.0.1"));
        Client client(host_, theirs_, transport.fingerprint());
        transport.add(client.expected(), heard_);
        ASSERT_TRUE(client.connect(transport.addresses()[0]));
        ASSERT_TRUE(heard_->wait_for("connected;"));
        std::vector<int> sent;
        for (std::uint8_t i = 0; i < 100; ++i) {
            client.send_rtp(i);
            sent.push_back(i);
        }
        ASSERT_TRUE(heard_->wait_for_packets(100));
        EXPECT_EQ(heard_->sequences(), sent) << "what was kept stays as it is";
        transport.with(client.server_.ufrag, [](Peer& peer) {
            Bytes packet(500);
            packet[0] = 0x80;
            EXPECT_TRUE(peer.send_rtp(packet));
        });
        EXPECT_TRUE(client.wait([&] { return client.packets_ == 1; }));
        transport.remove(client.server_.ufrag);
        EXPECT_TRUE(client.wait([&] { return client.story_ == "connected;ended;"; }));
        EXPECT_TRUE(heard_->wait_for("connected;ended;"));
        EXPECT_TRUE(empties(transport));
    }
    heard_.reset();
    EXPECT_EQ(testkit::FakeHost::live_buffers(), 0);
}

TEST_F(TransportTest, AnAnswerLeavesFromTheAddressThatWasWrittenTo) {
    Transport transport(context_, on("0.0.0.0"));
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    for (const auto* ip : {"127.0.0.2", "127.0.0.3"}) {
        const auto server = Endpoint::parse(ip, transport.addresses()[0].port);
        EXPECT_TRUE(client.check(server)) << ip;
        EXPECT_EQ(client.last_from_, server);
    }
}

TEST_F(TransportTest, APlayerIsWokenBeforeItsThreadKnewOfIt) {
    Transport transport(context_, on("127.0.0.1"));
    Client first(host_, theirs_, transport.fingerprint()), second(host_, theirs_, transport.fingerprint());
    auto config = first.expected(), other = second.expected();
    config.is_player = other.is_player = true;
    transport.wake(transport.add(config, heard_));
    const auto heard = std::make_shared<Heard>();
    transport.with(first.server_.ufrag, [&](Peer&) {  // its thread is busy when it is due to wake others
        transport.wake(transport.add(other, heard));
        const auto until = std::chrono::steady_clock::now() + milliseconds(2);
        while (std::chrono::steady_clock::now() < until) continue;
    });
    EXPECT_TRUE(second.connect(transport.addresses()[0]));
    EXPECT_TRUE(heard->wait_for("connected;"));
}

TEST_F(TransportTest, WhoSendsMediaIsThereWithoutChecks) {
    Transport transport(context_, on("127.0.0.1"));
    Client client(host_, theirs_, transport.fingerprint());
    auto config = client.expected();
    config.timeouts.consent = milliseconds(300);
    transport.add(config, heard_);
    ASSERT_TRUE(client.connect(transport.addresses()[0]));
    std::uint8_t sent = 0;
    const auto until = std::chrono::steady_clock::now() + milliseconds(700);
    client.wait([&] { return std::chrono::steady_clock::now() >= until; }, [&] { client.send_rtp(++sent); });
    client.send_rtp(++sent);
    EXPECT_TRUE(heard_->wait_for_packets(sent));
    EXPECT_TRUE(heard_->wait_for("connected;"));
    EXPECT_TRUE(heard_->wait_for("connected;Failed by ICE keep alive;")) << "and then it falls silent";
}

TEST_F(TransportTest, TwoServersDoNotShareAPort) {
    Transport first(context_, on("127.0.0.1", 2));
    auto config = on("127.0.0.1");
    config.addresses = first.addresses();
    try {
        Transport second(context_, config);
        FAIL() << "both have port " << first.addresses()[0].port;
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(first.addresses()[0].text()), std::string::npos) << error.what();
    }
}

TEST_F(TransportTest, PeersThatMoveStayOnTheirThread) {
    Transport transport(context_, on("127.0.0.1", 2));
    std::list<Client> clients;  // their ports are nobody else's
    for (int i = 0; i < 16; ++i) {
        Client& client = clients.emplace_back(host_, theirs_, transport.fingerprint());
        const auto heard = std::make_shared<Heard>();
        transport.add(client.expected(), heard);
        ASSERT_TRUE(client.connect(transport.addresses()[0]));
        client.send_rtp(1);
        ASSERT_TRUE(heard->wait_for_packets(1));
        client.move();
        ASSERT_TRUE(client.check(transport.addresses()[0]));
        client.send_rtp(2);
        ASSERT_TRUE(heard->wait_for_packets(2));
        EXPECT_EQ(heard->sequences(), (std::vector<int>{1, 2}));
    }
    EXPECT_GT(transport.counters().forwarded, 0u);
}

TEST_F(TransportTest, APathStaysWithItsPeerWhateverAForgedAddressSays) {
    Transport transport(context_, on("127.0.0.1"));
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint()), thief(host_, theirs_, transport.fingerprint());
    auto expected = client.expected();
    expected.timeouts.consent = milliseconds(300);
    transport.add(expected, heard_);
    transport.add(thief.expected(), std::make_shared<Heard>());
    ASSERT_TRUE(client.connect(server));
    const auto forged = check_of(thief.server_);  // it knows its own password, and where the client is
    client.answers_ = 0;
    client.send(forged);
    client.send_rtp(1);
    ASSERT_TRUE(heard_->wait_for_packets(1));
    client.take();
    EXPECT_EQ(client.answers_, 0);

    // The client goes on elsewhere; what it left is another's when nothing was heard there for so long.
    Client other(host_, theirs_, transport.fingerprint());
    other.server_ = client.server_;
    EXPECT_TRUE(client.wait([&] { return client.answers_ > 0; },
                            [&] {
                                EXPECT_TRUE(other.check(server));
                                client.send(forged);
                            }));
    EXPECT_TRUE(heard_->wait_for("connected;")) << "it is still there";
}

TEST_F(TransportTest, ThreadsForgetThePathsThatPeersOfOthersLeft) {
    Transport transport(context_, on("127.0.0.1", 2));
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    std::vector<std::unique_ptr<Client>> paths;
    for (int i = 0; i < 24; ++i) {
        paths.push_back(std::make_unique<Client>(host_, theirs_, transport.fingerprint()));
        paths.back()->server_ = client.server_;
        ASSERT_TRUE(paths.back()->check(server));
    }
    const auto before = transport.counters();
    EXPECT_GT(before.forwarded, 0u);
    for (std::size_t i = 0; i < 16; ++i) paths[i]->send(Bytes(20, std::uint8_t{0x80}));  // a peer has eight
    ASSERT_TRUE(client.wait([&] { return transport.counters().strange >= before.strange + 16; }));
    EXPECT_EQ(transport.counters().forwarded, before.forwarded);
}

TEST_F(TransportTest, PlayersLiveOnThreadsOfTheirOwn) {
    struct Threaded : Heard {
        void connected(Peer& peer) override {
            thread_ = std::this_thread::get_id();
            Heard::connected(peer);
        }
        std::atomic<std::thread::id> thread_;
    };
    auto config = on("127.0.0.1");
    config.player_threads = 2;
    Transport transport(context_, config);
    std::set<std::thread::id> threads;
    for (const bool is_player : {false, false, true, true, true, true}) {
        for (const bool is_tcp : {false, true}) {
            Client client(host_, theirs_, transport.fingerprint());
            const auto heard = std::make_shared<Threaded>();
            auto expected = client.expected();
            expected.is_player = is_player;
            const auto peer = transport.add(expected, heard);
            ASSERT_TRUE(!is_tcp || client.use_tcp(transport.addresses()[0]));
            ASSERT_TRUE(client.connect(transport.addresses()[0]));
            ASSERT_TRUE(heard->wait_for("connected;"));
            threads.insert(heard->thread_);
            EXPECT_EQ(threads.size() > 1, is_player);
            client.send_rtp(1);
            ASSERT_TRUE(heard->wait_for_packets(1));
            transport.with(client.server_.ufrag, [](Peer& at) {
                Bytes packet(500);
                packet[0] = 0x80;
                EXPECT_TRUE(at.send_rtp(packet));
            });
            EXPECT_TRUE(client.wait([&] { return client.packets_ == 1; }));
        }
    }
    EXPECT_EQ(threads.size(), 3u);
}

TEST_F(TransportTest, APlayerIsWokenOnceHoweverOftenItIsTold) {
    struct Woken : Heard {
        void woken() override { ++count_; }
        std::atomic<int> count_ = 0;
    };
    Transport transport(context_, on("127.0.0.1"));
    const auto heard = std::make_shared<Woken>();
    PeerConfig config{IceCredentials::make(), "peer", DtlsRole::server, theirs_->fingerprint(), {}};
    config.is_player = true;
    const auto peer = transport.add(config, heard);
    for (int turn = 1; turn <= 3; ++turn) {
        std::promise<void> is_held, may_go_on, is_done;
        transport.with(config.local.ufrag, [&](Peer&) {
            is_held.set_value();
            may_go_on.get_future().wait();
        });
        is_held.get_future().wait();
        for (int i = 0; i < 100; ++i) transport.wake(peer);
        may_go_on.set_value();
        while (heard->count_ < turn) std::this_thread::yield();
        transport.with(config.local.ufrag, [&](Peer&) { is_done.set_value(); });
        is_done.get_future().wait();
        EXPECT_EQ(heard->count_, turn);
    }
    transport.remove(config.local.ufrag);
    EXPECT_TRUE(heard->wait_for("ended;"));
    transport.wake(peer);  // late, but harmless
}

TEST_F(TransportTest, AFloodOfRequestsIsLimitedAndHardlyAnswered) {
    Transport transport(context_, on("127.0.0.1"));
    Client client(host_, theirs_, transport.fingerprint(), "127.0.0.9");
    Client attacker(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.connect(transport.addresses()[0]));
    ASSERT_TRUE(heard_->wait_for("connected;"));
    attacker.server_.ufrag = client.server_.ufrag;  // the name is known, the password is not
    EXPECT_TRUE(attacker.check(transport.addresses()[0]));
    const auto request = check_of(attacker.server_);
    EXPECT_TRUE(attacker.wait([&] { return transport.counters().limited > 1000; },
                              [&] {
                                  for (int i = 0; i < 200; ++i) attacker.send(request);
                              }));
    EXPECT_LT(attacker.answers_, 60) << "ten at once and five a second";
    client.send_rtp(1);
    EXPECT_TRUE(heard_->wait_for_packets(1));
    Client second(host_, theirs_, transport.fingerprint(), "127.0.0.10");
    const auto heard = std::make_shared<Heard>();
    transport.add(second.expected(), heard);
    EXPECT_TRUE(second.connect(transport.addresses()[0]));
}

TEST_F(TransportTest, WhoDidNotCheckGetsNothing) {
    Transport transport(context_, on("127.0.0.1"));
    const auto server = transport.addresses()[0];
    Client client(host_, theirs_, transport.fingerprint()), attacker(host_, theirs_, transport.fingerprint());
    transport.add(client.expected(), heard_);
    ASSERT_TRUE(client.connect(server));
    const auto genuine = client.framed_rtp(1);
    const ByteSpan stolen = ByteSpan(genuine).subspan(frame_header);
    Bytes hello(200, std::uint8_t{0});  // a ClientHello gets many times its size in return
    const Bytes head{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 187, 1};
    std::copy(head.begin(), head.end(), hello.begin());
    auto torn = check_of(client.server_);
    torn.back() ^= 1;
    const auto stranger = check_of(IceCredentials::make());
    attacker.to(server);
    const auto before = transport.counters();
    for (int i = 0; i < 3; ++i)
        for (const auto packet : {stolen, ByteSpan(hello), ByteSpan(torn), ByteSpan(stranger)}) attacker.send(packet);
    ASSERT_TRUE(attacker.wait([&] { return transport.counters().strange == before.strange + 12; }));
    ASSERT_TRUE(client.check(server)) << "what had been answered would have left before this";
    attacker.take();
    EXPECT_EQ(attacker.last_from_, Endpoint()) << "not one answer";
    client.send(stolen);
    ASSERT_TRUE(heard_->wait_for_packets(1));
    EXPECT_EQ(heard_->sequences(), (std::vector<int>{1})) << "from its owner it is taken, and was not before";
    client.send(stolen);
    client.send_rtp(2);
    ASSERT_TRUE(heard_->wait_for_packets(2));
    EXPECT_EQ(heard_->sequences(), (std::vector<int>{1, 2})) << "but once";
}

TEST_F(TransportTest, APeerIsTickedSoonWhereItWishes) {
    struct Wishing : Heard {
        void connected(Peer& peer) override {
            peer_ = &peer;
            Heard::connected(peer);
        }
        void ticked(Time now) override {
            if (is_wished_) smallest_ = std::min(smallest_.load(), now - last_);
            if (++count_ < 40) peer_->tick_soon();
            last_ = now;
            is_wished_ = true;
            if (count_ == 40) told_ = true;
        }
        Peer* peer_ = nullptr;
        int count_ = 0;
        bool is_wished_ = false;
        Time last_{};
        std::atomic<Time> smallest_ = Time::max();
        std::atomic<bool> told_ = false;
    };
    Transport transport(context_, on("127.0.0.1"));
    Client client(host_, theirs_, transport.fingerprint());
    const auto heard = std::make_shared<Wishing>();
    transport.add(client.expected(), heard);
    ASSERT_TRUE(client.connect(transport.addresses()[0]));
    EXPECT_TRUE(client.wait([&] { return heard->told_.load(); }));
    EXPECT_LT(heard->smallest_.load(), milliseconds(80)) << "others are ticked each 100 ms";
}

TEST_F(TransportTest, APeerThatNeverComesFails) {
    Transport transport(context_, on("127.0.0.1", 2));
    PeerConfig config{IceCredentials::make(), "peer", DtlsRole::server, theirs_->fingerprint(), {}};
    EXPECT_THROW(transport.add((transport.add(config, heard_), config), heard_), Error) << "the name is taken";
    transport.remove(config.local.ufrag);
    EXPECT_TRUE(heard_->wait_for("ended;"));
    config.local = IceCredentials::make();
    config.timeouts.ice = milliseconds(1);
    const auto late = std::make_shared<Heard>();
    transport.add(config, late);
    EXPECT_TRUE(late->wait_for("Failed by ICE timeout;"));
    EXPECT_TRUE(empties(transport));
}

TEST_F(TransportTest, WhoeverIsThereWhenItStopsIsTold) {
    const auto waiting = std::make_shared<Heard>();
    auto transport = std::make_unique<Transport>(context_, on("127.0.0.1", 2));
    Client client(host_, theirs_, transport->fingerprint());
    transport->add(client.expected(), heard_);
    transport->add({IceCredentials::make(), "peer", DtlsRole::server, theirs_->fingerprint(), {}}, waiting);
    ASSERT_TRUE(client.connect(transport->addresses()[0]));
    transport.reset();
    EXPECT_TRUE(heard_->wait_for("connected;ended;"));
    EXPECT_TRUE(waiting->wait_for("ended;"));
    EXPECT_TRUE(client.wait([&] { return client.story_ == "connected;ended;"; }));
}

TEST_F(TransportTest, AnAddressThatIsNotOursIsNamed) {
    try {
        Transport transport(context_, on("192.0.2.1"));
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("192.0.2.1:0"), std::string::npos) << e.what();
    }
}

}  // namespace
}  // namespace tapedeck::webrtc
