#include "webrtc/transport/peer.hpp"

#include <gtest/gtest.h>
#include <openssl/srtp.h>

#include <deque>
#include <memory>
#include <string>

#include "checks.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Datagram {
    Pair pair;  // as the sender sees it
    Bytes bytes;
};

/// One end with what it said and what it sent.
struct End : PeerEvents, DatagramOut {
    End(DtlsRole role, const std::shared_ptr<DtlsIdentity>& mine, const Fingerprint& expected)
        : local(IceCredentials::make()),
          peer(std::make_unique<Peer>(PeerConfig{local, {}, role, expected, {}}, mine, *this, *this, Time{})) {}

    void connected(Peer&) override { story += "connected;"; }
    void failed(std::string_view reason) override { story += std::string(reason) + ";"; }
    void ended() override { story += "ended;"; }
    void rtp(const Arrival& packet) override { got.emplace_back(packet.packet.begin(), packet.packet.end()); }
    void rtcp(const Arrival& packet) override { control.emplace_back(packet.packet.begin(), packet.packet.end()); }
    void data(ByteSpan bytes, Time at) override { data_of.emplace_back(at, Bytes(bytes.begin(), bytes.end())); }
    std::span<std::uint8_t> room() override { return room_; }
    void commit(const Pair& to, std::size_t size) override {
        sent.push_back({to, Bytes(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size))});
    }

    void check(const Pair& via, const CheckTraits& traits = {}, Time now = {}) {
        const auto bytes = check_of(local, traits);
        peer->check(stun::parse(bytes).value(), via, now, true);
    }

    IceCredentials local;
    std::string story;
    std::vector<Bytes> got, control;
    std::vector<std::pair<Time, Bytes>> data_of;
    std::deque<Datagram> sent;
    std::array<std::uint8_t, 1500> room_{};
    std::unique_ptr<Peer> peer;
};

class Peers : public ::testing::Test {
protected:
    /// Hands over what `from` sent; returns how many datagrams.
    std::size_t carry(End& from, End& to) {
        std::size_t count = 0;
        for (; !from.sent.empty(); from.sent.pop_front(), ++count) receive(to, from.sent.front());
        return count;
    }
    void receive(End& to, Datagram datagram) {
        bool is_kept = false;
        const Pair via{datagram.pair.remote, datagram.pair.local};
        to.peer->receive(via, Arrival(datagram.bytes, Time{}, buffer_, is_kept));
    }
    void talk() {
        while (carry(client_, server_) + carry(server_, client_) > 0) {
        }
    }
    void connect() {
        server_.check(there_);
        client_.check(here_);
        talk();
    }
    static Bytes rtp_packet(std::uint8_t sequence, std::uint8_t ssrc = 1) {
        Bytes packet{0x80, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, ssrc};
        packet.insert(packet.end(), 100, std::uint8_t{0x55});
        return packet;
    }

    testkit::FakeHost host_;
    Buffer buffer_{host_.table(), 16};
    const Pair there_ = pair_from("198.51.100.1", 1);
    const Pair here_{there_.remote, there_.local};
    // Retransmissions are due soon, so that no test waits for them.
    std::shared_ptr<DtlsIdentity> ours_ = DtlsIdentity::make(milliseconds(1)),
                                  theirs_ = DtlsIdentity::make(milliseconds(1));
    End server_{DtlsRole::server, ours_, theirs_->fingerprint()};
    End client_{DtlsRole::client, theirs_, ours_->fingerprint()};
};

TEST_F(Peers, ConnectAndExchangeRtpAndRtcp) {
    connect();
    EXPECT_EQ(server_.story, "connected;");
    EXPECT_EQ(client_.story, "connected;") << client_.peer->why() << "; " << server_.peer->why();
    const auto packet = rtp_packet(1);
    const Bytes report{0x80, 201, 0, 1, 0, 0, 0, 1};
    EXPECT_TRUE(client_.peer->send_rtp(packet));
    EXPECT_TRUE(client_.peer->send_rtcp(report));
    EXPECT_NE(client_.sent.front().bytes, packet);
    talk();
    ASSERT_EQ(server_.got.size(), 1u);
    EXPECT_EQ(server_.got[0], packet);
    ASSERT_EQ(server_.control.size(), 1u);
    EXPECT_EQ(server_.control[0], report);
    EXPECT_TRUE(server_.peer->send_rtp(packet));
    talk();
    EXPECT_EQ(client_.got.size(), 1u);
}

TEST_F(Peers, DataGoesBothWaysInRecordsOfDtls) {
    EXPECT_FALSE(client_.peer->send_data(Bytes{1}));
    connect();
    const Bytes packet(1200, 7);
    EXPECT_TRUE(client_.peer->send_data(packet));
    EXPECT_TRUE(client_.peer->send_data(Bytes{1}));
    EXPECT_TRUE(server_.peer->send_data(Bytes{2, 3}));
    EXPECT_FALSE(client_.peer->send_data(Bytes(1401)));
    talk();
    EXPECT_EQ(server_.data_of, (std::vector<std::pair<Time, Bytes>>{{Time{}, packet}, {Time{}, {1}}}));
    EXPECT_EQ(client_.data_of, (std::vector<std::pair<Time, Bytes>>{{Time{}, {2, 3}}}));
}

TEST_F(Peers, AnotherCertificateThanTheSdpNamedIsRefused) {
    const auto stranger = DtlsIdentity::make(milliseconds(1));
    End liar{DtlsRole::client, stranger, ours_->fingerprint()};
    server_.check(there_);
    liar.check(here_);
    while (carry(liar, server_) + carry(server_, liar) > 0) {
    }
    EXPECT_EQ(server_.story, "Failed by DTLS fingerprint error;");
    EXPECT_EQ(liar.story.substr(0, 9), "Failed by");
    EXPECT_FALSE(server_.peer->send_rtp(rtp_packet(1)));
}

TEST_F(Peers, AReplayedOrForgedPacketIsRefusedAndCounted) {
    connect();
    client_.peer->send_rtp(rtp_packet(1));
    auto datagram = client_.sent.front();
    talk();
    receive(server_, datagram);
    EXPECT_EQ(server_.got.size(), 1u);
    EXPECT_EQ(server_.peer->counters().replayed, 1u);
    client_.peer->send_rtp(rtp_packet(2));
    auto forged = client_.sent.front();
    forged.bytes[20] ^= 1;
    receive(server_, forged);
    EXPECT_EQ(server_.got.size(), 1u);
    EXPECT_EQ(server_.peer->counters().forged, 1u);
    talk();
    EXPECT_EQ(server_.got.size(), 2u);
    client_.peer->send_rtcp(Bytes{0x80, 201, 0, 1, 0, 0, 0, 1});
    datagram = client_.sent.front();
    talk();
    receive(server_, datagram);
    EXPECT_EQ(server_.control.size(), 1u);
    EXPECT_EQ(server_.peer->counters().replayed, 2u);
}

TEST_F(Peers, OfManySourcesTheOneThatWasSilentLongestIsForgotten) {
    connect();
    std::vector<Datagram> sent;
    for (std::uint8_t ssrc = 0; ssrc < 66; ++ssrc) {
        client_.peer->send_rtp(rtp_packet(1, ssrc));
        sent.push_back(client_.sent.front());
        talk();
        if (ssrc != 63) continue;
        client_.peer->send_rtp(rtp_packet(2, 0));
        talk();
    }
    EXPECT_EQ(server_.got.size(), 67u) << "a new one is never refused";
    receive(server_, sent[0]);
    receive(server_, sent[65]);
    EXPECT_EQ(server_.peer->counters().replayed, 2u);
    receive(server_, sent[1]);
    receive(server_, sent[2]);
    EXPECT_EQ(server_.got.size(), 69u) << "these two made room";
    EXPECT_EQ(server_.peer->counters().replayed, 2u);
}

TEST_F(Peers, ASpoofedAddressCannotTakeOverAPeer) {
    connect();
    const auto elsewhere = pair_from("203.0.113.66", 6);
    // Neither a check with the wrong password, nor a genuine packet seen on the way, moves anything.
    const auto guessed = check_of({server_.local.ufrag, "not the password"});
    server_.peer->check(stun::parse(guessed).value(), elsewhere, {}, true);
    server_.sent.clear();
    client_.peer->send_rtp(rtp_packet(7));
    auto stolen = client_.sent.front();
    client_.sent.clear();
    stolen.pair = {elsewhere.remote, elsewhere.local};
    receive(server_, stolen);
    EXPECT_TRUE(server_.got.empty());
    EXPECT_TRUE(server_.peer->send_rtp(rtp_packet(1)));
    EXPECT_EQ(server_.sent.front().pair, there_);
    // The peer itself may move.
    server_.check(elsewhere);
    server_.sent.clear();
    server_.peer->send_rtp(rtp_packet(2));
    EXPECT_EQ(server_.sent.front().pair, elsewhere);
    receive(server_, stolen);
    EXPECT_EQ(server_.got.size(), 1u);
}

TEST_F(Peers, LostFlightsAreSentAgain) {
    server_.check(there_);
    client_.check(here_);
    for (int round = 0; round < 6 && server_.story.empty(); ++round) {
        client_.sent.clear();  // all of it is lost
        server_.sent.clear();
        while (client_.sent.empty()) client_.peer->tick({});
        carry(client_, server_);
        carry(server_, client_);
        carry(client_, server_);
    }
    talk();
    EXPECT_EQ(server_.story, "connected;");
    EXPECT_EQ(client_.story, "connected;");
}

TEST_F(Peers, EachSilenceHasItsReason) {
    server_.peer->tick(seconds(14));
    EXPECT_EQ(server_.story, "");
    server_.peer->tick(seconds(15));
    EXPECT_EQ(server_.story, "Failed by ICE timeout;");

    End mute{DtlsRole::server, ours_, theirs_->fingerprint()};
    mute.check(there_, {}, seconds(3));
    mute.peer->tick(seconds(17));
    EXPECT_EQ(mute.story, "");
    mute.peer->tick(seconds(18));
    EXPECT_EQ(mute.story, "Failed by DTLS error;");
}

TEST_F(Peers, WithoutChecksThePeersConsentIsGone) {
    connect();
    server_.check(there_, {}, seconds(10));
    server_.peer->tick(seconds(39));
    EXPECT_EQ(server_.story, "connected;");
    server_.peer->tick(seconds(40));
    EXPECT_EQ(server_.story, "connected;Failed by ICE keep alive;");
    EXPECT_FALSE(server_.peer->send_rtp(rtp_packet(1)));
}

TEST_F(Peers, AGoodbyeEndsBoth) {
    connect();
    client_.peer->close();
    talk();
    EXPECT_EQ(client_.story, "connected;ended;");
    EXPECT_EQ(server_.story, "connected;ended;");
}

TEST_F(Peers, GarbageThatLooksLikeDtlsChangesNothing) {
    connect();
    for (std::uint8_t first = 20; first < 64; ++first)
        for (const std::size_t size : {1u, 13u, 14u, 200u, 1400u}) {
            Datagram garbage{here_, Bytes(size, std::uint8_t{0xfe})};
            garbage.bytes[0] = first;
            receive(server_, garbage);
        }
    client_.peer->send_rtp(rtp_packet(1));
    talk();
    EXPECT_EQ(server_.story, "connected;");
    EXPECT_EQ(server_.got.size(), 1u);
}

TEST(SrtpSession, DoesEachProfile) {
    for (const auto& [profile, key, overhead] : {std::tuple{SRTP_AEAD_AES_128_GCM, 28u, 16u},
                                                 {SRTP_AEAD_AES_256_GCM, 44u, 16u},
                                                 {SRTP_AES128_CM_SHA1_80, 30u, 10u}}) {
        const Bytes one(key, std::uint8_t{1}), other(key, std::uint8_t{2});
        SrtpSession here({static_cast<unsigned long>(profile), one, other});
        SrtpSession there({static_cast<unsigned long>(profile), other, one});
        Bytes packet(200 + SrtpSession::trailer);
        packet[0] = 0x80;
        const auto size = here.protect(SrtpSession::Type::rtp, packet, 200);
        ASSERT_EQ(size, 200u + overhead) << profile;
        const auto plain = there.unprotect(SrtpSession::Type::rtp, std::span(packet).first(*size));
        ASSERT_TRUE(plain) << profile;
        EXPECT_EQ(plain->size(), 200u);
        EXPECT_FALSE(here.protect(SrtpSession::Type::rtp, packet, 220)) << "no room for the trailer";
    }
}

TEST(Fingerprint, IsReadInAnyCaseAndChecked) {
    const auto mine = DtlsIdentity::make()->fingerprint();
    auto text = mine.text();
    EXPECT_EQ(Fingerprint::parse(text).digest, mine.digest);
    for (auto& c : text) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(Fingerprint::parse(text).digest, mine.digest);
    for (const auto* wrong : {"", "sha-256", "md5 00:11", "sha-256 00:11",
                              "sha-1 0g:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00"})
        EXPECT_THROW(Fingerprint::parse(wrong), Malformed) << wrong;
}

}  // namespace
}  // namespace tapedeck::webrtc
