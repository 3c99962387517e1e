// Streams over real sockets: who may send, what order, and how they end.
#include "mpegts/sources.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

#include "stream.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::mpegts::test {
namespace {

/// Sends from a port of its own.
class Sender {
public:
    explicit Sender(std::uint16_t to) : descriptor_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        name_.sin_family = AF_INET;
        name_.sin_port = htons(to);
        name_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender() { ::close(descriptor_); }

    void send(const Bytes& bytes) const {
        const auto* const to = static_cast<const sockaddr*>(static_cast<const void*>(&name_));
        ::sendto(descriptor_, bytes.data(), bytes.size(), 0, to, sizeof name_);
    }

private:
    int descriptor_;
    sockaddr_in name_{};
};

Bytes rtp_packet(std::uint16_t sequence, const Bytes& payload, std::uint8_t ssrc = 1) {
    return Bytes{0x80,
                 33,
                 static_cast<std::uint8_t>(sequence >> 8),
                 static_cast<std::uint8_t>(sequence),
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 ssrc} +
           payload;
}

struct Rig {
    explicit Rig(std::string_view read_interval = "1ms") : host(all_keys) {
        host.settings.set("address", "127.0.0.1");
        host.settings.set("media_port_from", "0");
        host.settings.set("read_interval", read_interval);
        sources.emplace(Context(host.table(), host.context()));
        sources->start();
    }
    ~Rig() {
        sources.reset();
        host.drain();
    }
    /// The port of the new stream.
    std::uint16_t start(const std::string& body) {
        std::promise<std::string> uri;
        sources->add(parse_startup(body, sources->settings()), "host", [&](const Source* source, const Error* error) {
            uri.set_value(source != nullptr ? source->uri() : error->what());
        });
        const auto text = uri.get_future().get();
        return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
    }
    Shown shown(const std::string& stream) const {
        const auto found = sources->find({{{}, stream, {}}, {}});
        return found.empty() ? Shown() : found.front()->shown();
    }

    testkit::FakeHost host;
    std::optional<Sources> sources;
};

/// A key picture, whose end the next one's beginning tells.
Bytes key_pictures(std::uint8_t count) {
    Stream stream;
    stream.association({{1, 0x100}}).map(0x100, 1, {{0x1b, 0x101}});
    for (std::uint8_t i = 0; i < count; ++i)
        stream.pes(0x101, 3600 * i, std::nullopt, h264_picture(true, static_cast<std::uint8_t>(i + 1)));
    return stream.bytes;
}

TEST(SourcesTest, ADatagramBecomesPacketsOfTheStream) {
    Rig rig;
    const Sender sender(rig.start(R"({"localStreamName":"film","record":true})"));
    auto* const stream = rig.host.streams.wait();
    ASSERT_NE(stream, nullptr);
    EXPECT_EQ(stream->facts.name, "film");
    EXPECT_EQ(stream->facts.record, TD_RECORD_YES);
    sender.send(key_pictures(3));
    ASSERT_TRUE(stream->wait([&] { return stream->packet_count() == 2; }));
    EXPECT_EQ(stream->tracks().at(0).track.width, 320u);
    EXPECT_EQ(stream->packets().at(1).data, h264_slice(true, 2));
    rig.sources->remove(rig.sources->find({}), "enough");
    ASSERT_TRUE(stream->wait([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->closed(), "enough");
    EXPECT_EQ(stream->packet_count(), 3u) << "the last picture was whole";
}

TEST(SourcesTest, WhatHadComeWhenAStreamWasEndedBelongsToIt) {
    Rig rig("200ms");
    const Sender sender(rig.start(R"({"localStreamName":"film"})"));
    auto* const stream = rig.host.streams.wait();
    ASSERT_NE(stream, nullptr);
    sender.send(key_pictures(3));
    rig.sources->remove(rig.sources->find({}), "enough");
    ASSERT_TRUE(stream->wait([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->packet_count(), 3u);
}

TEST(SourcesTest, RtpIsPutInOrderAndAHoleIsToldToTheDemuxer) {
    Rig rig;
    const Sender sender(rig.start(R"({"localStreamName":"film","transport":"RTP"})"));
    auto* const stream = rig.host.streams.wait();
    ASSERT_NE(stream, nullptr);
    const auto bytes = key_pictures(6);
    const auto part = [&](std::size_t packet) {
        const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(packet * packet_size);
        return Bytes(from, from + packet_size);
    };
    ASSERT_EQ(bytes.size(), 8 * packet_size);  // two tables, six pictures
    for (const auto number : std::initializer_list<std::uint16_t>{0, 2, 1, 3, 4, 6, 7})
        sender.send(rtp_packet(number, part(number)));
    // 5 is given up after `reorder`; 3 was whole, 4 may have been torn by what is missing.
    ASSERT_TRUE(stream->wait([&] { return stream->packet_count() == 3; }));
    EXPECT_EQ(stream->packets().at(0).data, h264_slice(true, 1));
    EXPECT_EQ(stream->packets().at(1).data, h264_slice(true, 2));
    EXPECT_EQ(stream->packets().at(2).data, h264_slice(true, 5));
    EXPECT_NE(stream->packets().at(2).packet.flags & TD_PACKET_DISCONTINUITY, 0u);
}

TEST(SourcesTest, OnlyOneSenderIsHeardAtATimeAndOnlyOneThatMay) {
    Rig rig;
    const auto port = rig.start(R"({"localStreamName":"film"})");
    const Sender first(port), second(port);
    first.send(key_pictures(2));
    auto* const stream = rig.host.streams.wait();
    ASSERT_TRUE(stream->wait([&] { return stream->packet_count() == 1; }));
    second.send(key_pictures(5));
    ASSERT_TRUE(rig.host.wait_for_log("is not heard while"));
    EXPECT_EQ(stream->packet_count(), 1u);

    const Sender stranger(rig.start(R"({"localStreamName":"closed","allowedList":["192.0.2.0/24","2001:db8::/32"]})"));
    stranger.send(key_pictures(2));
    ASSERT_TRUE(rig.host.wait_for_log("not in allowedList"));
    EXPECT_EQ(rig.shown("closed").status, "CONNECTED");
}

TEST(SourcesTest, SilenceEndsAStreamAndItsReasonStays) {
    Rig rig;
    rig.start(R"({"localStreamName":"film","timeout":150})");
    auto* const stream = rig.host.streams.wait();
    ASSERT_TRUE(stream->wait([&] { return stream->closed().has_value(); }));
    EXPECT_EQ(stream->closed(), "no data for 150 ms: nothing has come");
    EXPECT_EQ(rig.shown("film").status, "FAILED");
}

TEST(SourcesTest, SrtListensOnAPortOfItsOwnForEachStreamAndEndsWithAll) {
    Rig rig;
    const auto one = rig.start(R"({"localStreamName":"one","transport":"srt","passphrase":"0123456789"})");
    const auto two = rig.start(R"({"localStreamName":"two","transport":"srt"})");
    EXPECT_NE(one, 0);
    EXPECT_NE(one, two);
    EXPECT_EQ(rig.shown("one").status, "CONNECTED");
    rig.sources->stop();
    EXPECT_EQ(rig.host.streams.wait(1)->closed(), "the server stops");
}

TEST(SourcesTest, WhatTheHostRefusesIsNotTaken) {
    Rig rig;
    rig.host.streams.refuse([](auto, const auto&) { return testkit::Refusal{TD_EXISTS, "in use"}; });
    std::promise<td_status> answer;
    rig.sources->add(
        parse_startup(R"({"localStreamName":"film"})", rig.sources->settings()), "host",
        [&](const Source*, const Error* error) { answer.set_value(error == nullptr ? TD_OK : error->status()); });
    EXPECT_EQ(answer.get_future().get(), TD_EXISTS);
}

TEST(RequestTest, AStreamIdIsANameOrSaysMore) {
    EXPECT_EQ(parse_stream_id("film", {}).stream, "film");
    const auto request = parse_stream_id("#!::u=me,password=x,r=live/film,m=publish", {});
    EXPECT_EQ(request.stream, "live/film");
    EXPECT_EQ(request.login, "me");
    EXPECT_EQ(request.credentials.at(0).second, "x");
    EXPECT_EQ(parse_stream_id("фильм", {}).stream, "фильм");
    EXPECT_THROW(parse_stream_id("", {}), Error);
    EXPECT_THROW(parse_stream_id("film\xff\xfe", {}), Error) << "no lists of all streams would be JSON";
    EXPECT_THROW(parse_stream_id(std::string("film\0a", 6), {}), Error);
    EXPECT_THROW(parse_stream_id("#!::r=film,m=request", {}), Error);
}

TEST(RequestTest, ABodyThatCannotBeReadIsRefusedByMemberAndValue) {
    const auto why = [](const std::string& members) {
        try {
            parse_startup("{\"localStreamName\":\"film\"," + members + "}", {});
        } catch (const Error& e) {
            return (e.status() == TD_MALFORMED ? "" : "of another status: ") + std::string(e.what());
        }
        return std::string();
    };
    EXPECT_EQ(why(R"("transport":"SRT","passphrase":"0123456789","record":"true","timeout":100,"cdn":false)"), "");
    EXPECT_EQ(why(R"("transport":1)"), "transport: 1 is no text");
    EXPECT_EQ(why(R"("transport":"tcp")"), "transport: 'tcp' is none of udp, rtp and srt");
    EXPECT_EQ(why(R"("record":1)"), "record: 1 is neither true nor false");
    EXPECT_EQ(why(R"("timeout":99)"), "timeout: 99 is no number from 100 to 86400000");
    EXPECT_EQ(why(R"("maxTimestampDiff":"1")"), R"(maxTimestampDiff: "1" is no number from 0.01 to 3600)");
    EXPECT_EQ(why(R"("program":0)"), "program: 0 is no number from 1 to 65535");
    EXPECT_EQ(why(R"("allowedList":"all")"), R"(allowedList: "all" is no list of texts)");
    EXPECT_EQ(why(R"("allowedList":["a"])"), "allowedList: 'a' is no IP address");
    EXPECT_EQ(why(R"("passphrase":"0123456789")"), "passphrase: udp has no encryption; `srt` has");
    EXPECT_THROW(parse_startup("[]", {}), Error);
    EXPECT_THROW(parse_startup("{}", {}), Error);
    EXPECT_THROW(parse_filter(R"({"status":1})"), Error);
    EXPECT_TRUE(parse_filter("").is_empty());
}

TEST(RequestTest, NetworksAreOfIPv4AndIPv6) {
    Networks networks;
    for (const char* name : {"192.0.2.0/24", "203.0.113.9", "2001:db8::/32"}) networks.add(name);
    for (const auto& [ip, is_in] : {std::pair{"192.0.2.77", true},
                                    {"192.0.3.1", false},
                                    {"203.0.113.9", true},
                                    {"203.0.113.8", false},
                                    {"2001:db8::1", true},
                                    {"2001:db9::1", false}})
        EXPECT_EQ(networks.contain(Address::parse(ip, 1)), is_in) << ip;
    EXPECT_TRUE(Networks().contain(Address::parse("192.0.3.1", 1)));
    for (const char* wrong : {"camera", "192.0.2.0/33", "192.0.2.0/", "::/129"})
        EXPECT_THROW(networks.add(wrong), Error) << wrong;
}

}  // namespace
}  // namespace tapedeck::mpegts::test
