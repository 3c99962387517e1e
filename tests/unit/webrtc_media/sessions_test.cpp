#include "webrtc/media/sessions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <tuple>

#include "checks.hpp"
#include "offers.hpp"
#include "rtp/packet.hpp"
#include "rtp/rtcp.hpp"
#include "tapedeck/stream.hpp"
#include "testkit/fake_host.hpp"
#include "webrtc/data/dcep.hpp"
#include "webrtc/data/sctp.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// What signalling is told; waits for it.
class Told : public SessionEvents {
public:
    void answered(const std::string& sdp) override {
        {
            const std::lock_guard lock(mutex_);
            answer_ = sdp;
        }
        tell("answered;");
    }
    void started() override { tell("started;"); }
    void ended(bool failed, const std::string& reason, const std::string& record_name) override {
        tell((failed ? "failed: " : "stopped: ") + reason + "; " + record_name);
    }

    bool wait_for(const std::string& story) {
        std::unique_lock lock(mutex_);
        const bool is_so = changed_.wait_for(lock, seconds(10), [&] { return story_ == story; });
        EXPECT_EQ(story_, story);
        return is_so;
    }
    /// Whatever may have come since.
    bool wait_past(const std::string& story) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(10), [&] { return story_.starts_with(story); });
    }
    std::string answer() {
        const std::lock_guard lock(mutex_);
        return answer_;
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
    std::string story_, answer_;
};

/// A browser's end: the controlling, active side of one connection.
class Browser : public PeerEvents, public DatagramOut, public SctpEvents {
public:
    Browser(const testkit::FakeHost& host, const std::shared_ptr<DtlsIdentity>& identity, const std::string& answer)
        : in_(Context(host.table(), host.context())) {
        const auto line = sdp::parse(answer).lines.at(0);
        const auto pwd_at = answer.find("a=ice-pwd:") + 10;
        server_ = {line.ufrag, answer.substr(pwd_at, answer.find("\r\n", pwd_at) - pwd_at)};
        const auto port_at = answer.find(" 127.0.0.1 ") + 11;
        sockets_.emplace_back(Endpoint::parse("127.0.0.1", 0));
        to_ = {sockets_[0].local(),
               Endpoint::parse("127.0.0.1", static_cast<std::uint16_t>(std::stoi(answer.substr(port_at))))};
        peer_ =
            std::make_unique<Peer>(PeerConfig{local_, {}, DtlsRole::client, Fingerprint::parse(line.fingerprint), {}},
                                   identity, *this, *this, Time{});
    }

    bool connect() {
        if (!wait([&] { return answers_ > 0; }, [&] { check(); })) return false;
        const auto own = check_of(local_);
        peer_->check(stun::parse(own).value(), to_, {}, false);
        return wait([&] { return is_connected_; }, [] {});
    }
    void send(const rtp::Packet& head, const Bytes& payload) {
        Bytes packet(rtp::header_size);
        rtp::write_header(packet, head, {});
        packet.insert(packet.end(), payload.begin(), payload.end());
        EXPECT_TRUE(peer_->send_rtp(packet));
    }
    void send(const Bytes& rtcp) { EXPECT_TRUE(peer_->send_rtcp(rtcp)); }
    void leave() { peer_->close(); }
    /// Says something over a data channel, once the association is there.
    bool say(const std::string& text) {
        association_.connect(now());
        const Bytes bytes(text.begin(), text.end());
        return wait([&] { return association_.send({1, dcep::text, bytes}, now()); }, [&] { tick_data(); });
    }

    void tick_data() { association_.tick(now()); }

    template <class Done, class Again>
    bool wait(Done done, Again again) {
        const auto limit = std::chrono::steady_clock::now() + seconds(10);
        while (!done()) {  // which may do something, and then does it once
            if (std::chrono::steady_clock::now() >= limit) return false;
            again();
            pollfd poll{sockets_[0].descriptor(), POLLIN, 0};
            ::poll(&poll, 1, 50);
            for (const auto& datagram : in_.receive(sockets_[0])) {
                if (datagram.bytes[0] <= 3) ++answers_;
                peer_->receive(to_, in_.arrival(datagram, {}));
            }
            peer_->tick({});
        }
        return true;
    }
    /// Waits for a packet of this payload type.
    bool wait_for_media(std::uint8_t payload_type) {
        return wait([&] { return media_[payload_type] > 0; }, [] {});
    }
    template <class Kind>
    bool wait_for_control() {
        return wait(
            [&] {
                for (const auto& message : control_)
                    if (std::holds_alternative<Kind>(message)) return true;
                return false;
            },
            [] {});
    }

    void connected(Peer&) override { is_connected_ = true; }
    void data(ByteSpan bytes, Time) override { association_.receive(bytes, now()); }
    void datagram(ByteSpan bytes) override { EXPECT_TRUE(peer_->send_data(bytes)); }
    void message(const SctpMessage&) override {}
    void closed(std::uint16_t) override {}
    void failed(std::string_view) override { is_over_ = true; }
    void ended() override { is_over_ = true; }
    void rtp(const Arrival& arrival) override {
        const auto packet = rtp::parse_packet(arrival.packet);
        ++media_[packet.payload_type];
        last_ = {packet.ssrc, packet.sequence};
    }
    void rtcp(const Arrival& arrival) override {
        for (auto& message : rtp::parse_rtcp(arrival.packet)) control_.push_back(std::move(message));
    }
    std::span<std::uint8_t> room() override { return room_; }
    void commit(const Pair&, std::size_t size) override {
        if (room_[0] > 3) send_datagram(ByteSpan(room_).first(size));
    }

    bool is_connected_ = false, is_over_ = false;
    std::map<std::uint8_t, int> media_;
    std::pair<std::uint32_t, std::uint16_t> last_;  // SSRC and sequence number
    std::vector<rtp::Message> control_;

private:
    static Time now() { return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch()); }
    void check() { send_datagram(check_of(server_, {true, 100, "cLnt"})); }
    void send_datagram(ByteSpan bytes) {
        sockaddr_storage name{};
        const auto size = to_.remote.store(name);
        ::sendto(sockets_[0].descriptor(), bytes.data(), bytes.size(), 0,
                 static_cast<const sockaddr*>(static_cast<const void*>(&name)), size);
    }

    IceCredentials local_ = IceCredentials::make(), server_;
    ReceiveBatch in_;
    std::vector<UdpSocket> sockets_;
    Pair to_;
    int answers_ = 0;
    std::array<std::uint8_t, 1500> room_{};
    std::unique_ptr<Peer> peer_;
    SctpAssociation association_{*this, SctpAssociation::usual_port};
};

const Bytes vp8_key_picture{0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00};

class SessionsTest : public ::testing::Test {
protected:
    void run(MediaSettings settings = {}) {
        sessions_ = std::make_unique<MediaSessions>(
            context_, TransportConfig{{Endpoint::parse("127.0.0.1", 0)}, 1, identity_}, std::move(settings));
    }
    SessionRequest request(bool publishes, const std::string& id = "aaaa-1") const {
        SessionRequest asked;
        asked.publishes = publishes;
        asked.media_session = id;
        asked.name = "cam1";
        asked.login = "ann";
        asked.record = TD_RECORD_YES;
        asked.attributes = {{"token", "t"}};
        asked.offer = offer_of(publishes ? "sendonly" : "recvonly", theirs_->fingerprint().text());
        return asked;
    }
    std::shared_ptr<Told> open(const SessionRequest& asked) {
        auto told = std::make_shared<Told>();
        sessions_->open(asked, told);
        return told;
    }
    /// A session whose media flows.
    std::shared_ptr<Told> connect(bool publishes) { return connect(request(publishes)); }
    std::shared_ptr<Told> connect(const SessionRequest& asked) {
        auto told = open(asked);
        EXPECT_TRUE(told->wait_past("answered;"));
        browser_ = std::make_unique<Browser>(host_, theirs_, told->answer());
        EXPECT_TRUE(browser_->connect());
        EXPECT_TRUE(told->wait_past("answered;started;"));
        return told;
    }
    static rtp::Packet head(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t ssrc) {
        rtp::Packet packet;
        packet.marker = true;
        packet.payload_type = payload_type;
        packet.sequence = sequence;
        packet.ssrc = ssrc;
        return packet;
    }

    std::shared_ptr<DtlsIdentity> identity_ = DtlsIdentity::make(milliseconds(20)),
                                  theirs_ = DtlsIdentity::make(milliseconds(20));
    testkit::FakeHost host_;
    Context context_{host_.table(), host_.context()};
    std::unique_ptr<MediaSessions> sessions_;
    std::unique_ptr<Browser> browser_;
};

TEST_F(SessionsTest, WhatABrowserPublishesBecomesAStreamAndItsEndHasTheNameOfTheRecording) {
    run();
    const auto told = connect(true);
    EXPECT_THAT(told->answer(), HasSubstr("m=video " + std::to_string(sessions_->addresses()[0].port) +
                                          " UDP/TLS/RTP/SAVPF 96 97\r\n"));
    auto* stream = host_.streams.wait();
    ASSERT_NE(stream, nullptr);
    stream->releases_at_close = false;
    EXPECT_EQ(stream->facts.name, "cam1");
    EXPECT_EQ(stream->facts.login, "ann");
    browser_->send(head(111, 1, 1001), {0xf8, 1, 2});
    browser_->send(head(96, 1, 2001), vp8_key_picture);
    ASSERT_TRUE(stream->wait([&] { return stream->packet_count() == 2; }));
    ASSERT_EQ(stream->tracks().size(), 2u);
    EXPECT_EQ(stream->packets(0).at(0).data, (std::vector<std::uint8_t>{0xf8, 1, 2}));
    EXPECT_TRUE(stream->packets(1).at(0).is_key());
    EXPECT_EQ(stream->tracks()[1].track.width, 320u);

    stream->request_key(1);
    EXPECT_TRUE(browser_->wait_for_control<rtp::PictureLoss>());
    browser_->send(head(96, 3, 2001), vp8_key_picture);
    EXPECT_TRUE(browser_->wait_for_control<rtp::Nack>()) << "2 is missing";
    EXPECT_TRUE(browser_->wait_for_control<rtp::Report>());

    sessions_->close("aaaa-1", "Stopped by user");
    ASSERT_TRUE(stream->wait([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->closed(), "Stopped by user");
    EXPECT_EQ(stream->packet_count(), 3u) << "what waited behind the hole is not lost";
    EXPECT_TRUE(browser_->wait([&] { return browser_->is_over_; }, [] {}));
    stream->release("cam1.webm");
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by user; cam1.webm"));
    EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, WhatAPageSaysOverADataChannelBecomesATrackOfTheStream) {
    run();
    auto asked = request(true);
    asked.offer = session_level("0 1 2") + audio_line("sendonly", theirs_->fingerprint().text()) +
                  video_line("sendonly", theirs_->fingerprint().text()) + data_line(theirs_->fingerprint().text());
    const auto told = connect(asked);
    auto* stream = host_.streams.wait();
    browser_->send(head(111, 1, 1001), {0xf8, 1, 2});
    ASSERT_TRUE(browser_->say("hello"));
    ASSERT_TRUE(browser_->wait([&] { return stream->packet_count() == 2; }, [&] { browser_->tick_data(); }));
    const auto tracks = stream->tracks();
    EXPECT_EQ(std::count_if(tracks.begin(), tracks.end(), [](const auto& one) { return one.track.kind == TD_DATA; }),
              1);
    const auto said = stream->packets(32).at(0);
    EXPECT_EQ(std::string(said.data.begin(), said.data.end()), "hello");
    browser_->leave();
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by user; "));
}

TEST_F(SessionsTest, APageThatClosesItsConnectionHasStopped) {
    run();
    const auto told = connect(true);
    browser_->leave();
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by user; "));
}

TEST_F(SessionsTest, APublisherThatSendsNothingFails) {
    MediaSettings settings;
    settings.activity_us = 1;
    run(settings);
    const auto told = connect(true);
    EXPECT_TRUE(told->wait_for("answered;started;failed: Failed by RTP activity; "));
}

TEST_F(SessionsTest, AClientThatNeverComesFails) {
    MediaSettings settings;
    settings.timeouts.ice = milliseconds(1);
    run(settings);
    EXPECT_TRUE(open(request(true))->wait_for("answered;failed: Failed by ICE timeout; "));
    EXPECT_TRUE(host_.streams.wait()->closed().has_value());
}

TEST_F(SessionsTest, WhoeverOnlyMakesOffersIsRefusedMoreUntilTheyConnectOrEnd) {
    MediaSettings settings;
    settings.connecting = {2, 3};
    run(settings);
    const auto open_from = [&](const std::string& remote, const std::string& id) {
        auto asked = request(true, id);
        asked.remote = remote;
        return open(asked);
    };
    const std::string refused = "failed: Too many sessions are connecting; ";
    const auto first = open_from("2001:db8::1", "1"), second = open_from("2001:db8::2", "2");
    ASSERT_TRUE(first->wait_for("answered;"));
    ASSERT_TRUE(second->wait_for("answered;"));
    EXPECT_TRUE(open_from("2001:db8::3", "3")->wait_for(refused)) << "of the same /64";
    EXPECT_TRUE(open_from("192.0.2.1", "4")->wait_for("answered;"));
    EXPECT_TRUE(open_from("192.0.2.2", "5")->wait_for(refused)) << "in all";
    Browser browser(host_, theirs_, first->answer());
    ASSERT_TRUE(browser.connect());
    ASSERT_TRUE(first->wait_past("answered;started;"));
    EXPECT_TRUE(open_from("2001:db8::3", "6")->wait_for("answered;"));
    sessions_->close("2", "Stopped by user");
    ASSERT_TRUE(second->wait_for("answered;stopped: Stopped by user; "));
    EXPECT_TRUE(open_from("192.0.2.1", "7")->wait_for("answered;"));
}

TEST_F(SessionsTest, AStreamThatIsEndedByTheHostTellsTheReason) {
    run();
    const auto told = connect(true);
    host_.streams.wait()->kick("Stopped by rest /terminate");
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by rest /terminate; "));
}

TEST_F(SessionsTest, RefusalsHaveTheTextsThatPagesKnow) {
    run();
    auto asked = request(true);
    asked.offer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=rtcp-mux\r\na=rtpmap:97 rtx/90000\r\n";
    EXPECT_TRUE(open(asked)->wait_for("failed: No common codecs; "));
    asked.offer = "hello";
    EXPECT_TRUE(open(asked)->wait_for("failed: Failed by error; "));

    const std::vector<std::tuple<bool, td_status, std::string>> refusals{
        {true, TD_EXISTS, "Stream name is already in use"}, {true, TD_DENIED, "Restricted access"},
        {false, TD_NOT_FOUND, "Stream not found"},          {false, TD_DENIED, "Restricted access"},
        {false, TD_UNSUPPORTED, "No common codecs"},        {false, TD_CANCELLED, "Failed by error"}};
    for (const auto& [publishes, status, text] : refusals) {
        host_.streams.refuse([status = status](std::int32_t, const testkit::StreamFacts&) {
            return testkit::Refusal{status, "no"};
        });
        EXPECT_TRUE(open(request(publishes))->wait_for("failed: " + text + "; "));
    }
}

TEST_F(SessionsTest, AMediaSessionIsThereOnce) {
    run();
    const auto first = open(request(true));
    ASSERT_TRUE(first->wait_for("answered;"));
    EXPECT_TRUE(open(request(true))->wait_for("failed: MediaSessionId is already in use; "));
    sessions_->close("aaaa-1", "Stopped by session disconnect");
    EXPECT_TRUE(first->wait_for("answered;stopped: Stopped by session disconnect; "));
    EXPECT_TRUE(open(request(true))->wait_for("answered;"));
}

TEST_F(SessionsTest, AllAreToldTheirEndWhenTheServerStops) {
    run();
    const auto publisher = connect(true);
    const auto player = open(request(false, "bbbb-1"));
    ASSERT_TRUE(player->wait_for("answered;"));
    auto* stream = host_.streams.wait();
    stream->releases_at_close = false;
    sessions_.reset();
    EXPECT_TRUE(stream->closed().has_value());
    EXPECT_TRUE(host_.streams.wait_viewer()->is_closed());
    EXPECT_TRUE(publisher->wait_for("answered;started;stopped: Stopped by session disconnect; "));
    EXPECT_TRUE(player->wait_for("answered;stopped: Stopped by session disconnect; "));
}

TEST_F(SessionsTest, AStreamIsPlayedInItsOwnCodecs) {
    run();
    Track video(TD_VIDEO, TD_CODEC_VP8, {1, 1000}, 0), sound(TD_AUDIO, TD_CODEC_OPUS, {1, 48'000}, 1);
    const auto told = open(request(false));
    auto* viewer = host_.streams.wait_viewer();
    ASSERT_NE(viewer, nullptr);
    host_.drain();
    viewer->push(video, vp8_key_picture, 0);
    viewer->push(sound, Bytes{0xf8, 1}, 0);
    ASSERT_TRUE(told->wait_for("answered;"));
    EXPECT_THAT(told->answer(), HasSubstr("SAVPF 96 97\r\n"));
    EXPECT_THAT(told->answer(), HasSubstr("a=sendonly\r\n"));
    browser_ = std::make_unique<Browser>(host_, theirs_, told->answer());
    ASSERT_TRUE(browser_->connect());
    ASSERT_TRUE(told->wait_for("answered;started;"));
    ASSERT_TRUE(browser_->wait_for_media(96)) << "the picture from before it came";
    EXPECT_EQ(browser_->media_[111], 0) << "but not the sound";
    EXPECT_TRUE(viewer->keys_wanted().empty()) << "no other key frame is needed";
    viewer->push(sound, Bytes{0xf8, 2}, -960);  // converted late, and of before it came as well
    viewer->push(sound, Bytes{0xf8, 3}, 960);
    ASSERT_TRUE(browser_->wait_for_media(111));
    EXPECT_EQ(browser_->media_[111], 1);
    viewer->push(video, vp8_key_picture, 40);
    ASSERT_TRUE(browser_->wait([&] { return browser_->media_[96] == 2; }, [] {}));
    const auto [ssrc, sequence] = browser_->last_;
    EXPECT_THAT(told->answer(), HasSubstr("a=ssrc:" + std::to_string(ssrc) + " cname:"));
    Bytes rtcp;
    rtp::append(rtcp, rtp::PictureLoss{1, ssrc});
    rtp::append(rtcp, rtp::Nack{1, ssrc, {sequence}});
    browser_->send(rtcp);
    EXPECT_TRUE(viewer->wait([&] { return viewer->keys_wanted().size() == 1; }));
    EXPECT_TRUE(browser_->wait_for_media(97)) << "repeated";
    EXPECT_TRUE(browser_->wait_for_control<rtp::Report>());

    viewer->end("Stopped by publisher stop");
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by publisher stop; "));
    EXPECT_TRUE(viewer->is_closed());
}

TEST_F(SessionsTest, AStreamThatSaysNothingYetIsAnsweredWithEverythingAndPlaysWhatItBecomes) {
    run();
    const auto told = connect(false);
    EXPECT_THAT(told->answer(), HasSubstr("SAVPF 96 97 102 103\r\n"));
    EXPECT_THAT(told->answer(), Not(HasSubstr("AV1")));
    auto* viewer = host_.streams.wait_viewer();
    Track video(TD_VIDEO, TD_CODEC_VP8, {1, 1000}, 0);
    viewer->push(video, vp8_key_picture, 0);
    ASSERT_TRUE(browser_->wait_for_media(96));
    const auto [ssrc, sequence] = browser_->last_;
    Track other(TD_VIDEO, TD_CODEC_H264, {1, 1000}, 0);
    other.config(Bytes{1, 0x42, 0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0, 0x1e, 1, 0, 2, 0x68, 0xce});
    viewer->push(other, Bytes{0, 0, 0, 2, 0x41, 1}, 40, 0);
    viewer->push(other, Bytes{0, 0, 0, 2, 0x65, 1}, 80);
    ASSERT_TRUE(browser_->wait_for_media(102)) << "another codec";
    EXPECT_EQ(browser_->last_.first, ssrc);
    EXPECT_LE(static_cast<std::uint16_t>(browser_->last_.second - sequence), 2) << "parameters and a picture";
    EXPECT_EQ(viewer->keys_wanted(), (std::vector<std::uint32_t>{0})) << "of the other codec";
    sessions_->close("aaaa-1", "Stopped by user");
    EXPECT_TRUE(told->wait_for("answered;started;stopped: Stopped by user; "));
}

}  // namespace
}  // namespace tapedeck::webrtc
