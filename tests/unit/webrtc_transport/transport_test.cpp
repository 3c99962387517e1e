#include "webrtc/transport/transport.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "checks.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the server heard of one peer; waits for it.
class Heard : public PeerEvents {
public:
    void connected(Peer&) override { tell("connected;"); }
    void failed(std::string_view reason) override { tell(std::string(reason) + ";"); }
    void ended() override { tell("ended;"); }
    void rtp(const Arrival& arrival) override {
        {
            const std::lock_guard lock(mutex_);
            kept_.emplace_back(arrival.keep(), arrival.packet);
        }
        changed_.notify_all();
    }
    void rtcp(const Arrival&) override {}

    bool wait_for(const std::string& story) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(10), [&] { return story_ == story; });
    }
    bool wait_for_packets(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(10), [&] { return kept_.size() >= count; });
    }
    /// The sequence numbers of what was kept.
    std::vector<int> sequences() {
        const std::lock_guard lock(mutex_);
        std::vector<int> all;
        all.reserve(kept_.size());
        for (const auto& [block, packet] : kept_) all.push_back(packet[2] << 8 | packet[3]);
        return all;
    }

private:
    void tell(const std::string& what) {
        {
            const std::lock_guard lock(mutex_);
            story_ += what;
        }
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string story_;
    std::vector<std::pair<Buffer, std::span<std::uint8_t>>> kept_;
};

/// A browser's end on a socket of its own.
class Client : public PeerEvents, public DatagramOut {
public:
    Client(const testkit::FakeHost& host, const std::shared_ptr<DtlsIdentity>& identity, const Fingerprint& server,
           const std::string& ip = "127.0.0.1")
        : identity_(identity), in_(Context(host.table(), host.context())), ip_(ip) {
        sockets_.emplace_back(Endpoint::parse(ip, 0));
        peer_ = std::make_unique<Peer>(PeerConfig{local_, {}, DtlsRole::client, server, {}}, identity, *this, *this,
                                       Time{});
    }

    /// The config with which the server expects this client.
    PeerConfig expected() const { return {server_, "peer", DtlsRole::server, identity_->fingerprint(), {}}; }
    /// Checks and nominates, and does so again until an answer comes.
    bool check(const Endpoint& server) {
        to_ = {sockets_.back().local(), server};
        answers_ = 0;
        return wait([&] { return answers_ > 0; }, [&] { send(check_of(server_)); });
    }
    bool connect(const Endpoint& server) {
        if (!check(server)) return false;
        const auto own = check_of(local_);
        peer_->check(stun::parse(own).value(), to_, {}, false);
        return wait([&] { return story_ == "connected;"; });
    }
    void move() { sockets_.emplace_back(Endpoint::parse(ip_, 0)); }
    void send_rtp(std::uint8_t sequence) {
        Bytes packet{0x80, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 1};
        packet.resize(300);
        EXPECT_TRUE(peer_->send_rtp(packet));
    }
    void send(ByteSpan bytes) {
        sockaddr_storage name{};
        const auto size = to_.remote.store(name);
        ::sendto(sockets_.back().descriptor(), bytes.data(), bytes.size(), 0,
                 static_cast<const sockaddr*>(static_cast<const void*>(&name)), size);
    }
    template <class Predicate, class Again>
    bool wait(Predicate is_done, Again again) {
        const auto limit = std::chrono::steady_clock::now() + seconds(10);
        while (!is_done() && std::chrono::steady_clock::now() < limit) {
            again();
            pollfd poll{sockets_.back().descriptor(), POLLIN, 0};
            ::poll(&poll, 1, 50);
            take();
            peer_->tick({});
        }
        return is_done();
    }
    template <class Predicate>
    bool wait(Predicate is_done) {
        return wait(is_done, [] {});
    }
    void take() {
        for (const auto& datagram : in_.receive(sockets_.back())) {
            last_from_ = datagram.via.remote;
            if (datagram.bytes[0] <= 3) ++answers_;
            peer_->receive(to_local(datagram.via), in_.arrival(datagram, {}));
        }
    }

    void connected(Peer&) override { story_ += "connected;"; }
    void failed(std::string_view reason) override { story_ += std::string(reason) + ";"; }
    void ended() override { story_ += "ended;"; }
    void rtp(const Arrival&) override { ++packets_; }
    void rtcp(const Arrival&) override {}
    std::span<std::uint8_t> room() override { return room_; }
    void commit(const Pair&, std::size_t size) override {
        if (room_[0] > 3) send(ByteSpan(room_).first(size));
    }

    IceCredentials local_ = IceCredentials::make(), server_ = IceCredentials::make();
    std::string story_;
    int answers_ = 0, packets_ = 0;
    Endpoint last_from_;

private:
    /// The client keeps its first pair, wherever it moved.
    Pair to_local(const Pair& via) { return peer_->ice().selected() != nullptr ? *peer_->ice().selected() : via; }

    std::shared_ptr<DtlsIdentity> identity_;
    ReceiveBatch in_;
    std::string ip_;
    std::vector<UdpSocket> sockets_;
    Pair to_;
    std::array<std::uint8_t, 1500> room_{};
    std::unique_ptr<Peer> peer_;
};

class TransportTest : public ::testing::Test {
protected:
    TransportConfig on(const std::string& ip, unsigned threads = 1) const {
        return {{Endpoint::parse(ip, 0)}, threads, identity_};
    }
    std::shared_ptr<DtlsIdentity> identity_ = DtlsIdentity::make(milliseconds(20)),
                                  theirs_ = DtlsIdentity::make(milliseconds(20));
    testkit::FakeHost host_;
    Context context_{host_.table(), host_.context()};
    std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

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
        EXPECT_EQ(transport.size(), 0u);
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

TEST_F(TransportTest, PeersThatMoveStayOnTheirThread) {
    Transport transport(context_, on("127.0.0.1", 2));
    for (int i = 0; i < 16; ++i) {
        Client client(host_, theirs_, transport.fingerprint());
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
    EXPECT_EQ(transport.size(), 0u);
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
