#include "webrtc/transport/stun.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace tapedeck::webrtc::stun {
namespace {

/// RFC 5769 section 2.1: a request with SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME "evtj:h6vY".
const std::vector<std::uint8_t> sample_request{
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
    0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
    0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
    0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
    0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
    0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};
constexpr std::string_view sample_password = "VOkJxbRl1RmTxUk/WvJxBt";

/// RFC 5769 section 2.2: its response, with the address 192.0.2.1:32853.
const std::vector<std::uint8_t> sample_response{
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96};

TEST(Stun, ReadsTheSamplesOfRfc5769) {
    const auto request = parse(sample_request);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->kind, Kind::request);
    EXPECT_EQ(request->method, binding);
    EXPECT_EQ(request->username, "evtj:h6vY");
    EXPECT_EQ(request->priority, 0x6e0001ffu);
    EXPECT_EQ(request->controlled, 0x932ff9b151263b36u);
    EXPECT_FALSE(request->controlling);
    EXPECT_TRUE(request->has_fingerprint);
    EXPECT_TRUE(is_signed(*request, sample_password));
    EXPECT_FALSE(is_signed(*request, "VOkJxbRl1RmTxUk/WvJxBs"));
    EXPECT_FALSE(is_signed(*request, ""));

    const auto response = parse(sample_response);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->kind, Kind::success);
    ASSERT_TRUE(response->mapped);
    EXPECT_EQ(response->mapped->text(), "192.0.2.1:32853");
    EXPECT_TRUE(is_signed(*response, sample_password));
}

TEST(Stun, RefusesEveryByteThatIsAnother) {
    for (std::size_t i = 0; i < sample_request.size(); ++i) {
        auto other = sample_request;
        other[i] ^= 0x40;
        const auto message = parse(other);
        EXPECT_FALSE(message && message->has_fingerprint) << "byte " << i;
    }
    for (std::size_t size = 0; size < sample_request.size(); ++size)
        EXPECT_FALSE(parse(ByteSpan(sample_request).first(size))) << size << " bytes";
}

TEST(Stun, ReadsWhatItWrites) {
    std::array<std::uint8_t, 200> room{};
    for (const auto* address : {"192.0.2.7", "2001:db8::9"}) {
        Writer writer(room, Kind::request, binding, {1, 2, 3});
        writer.username("there:here");
        writer.priority(77);
        writer.use_candidate();
        writer.controlling(5);
        writer.mapped(Endpoint::parse(address, 4000));
        const auto message = parse(writer.finish("secret"));
        ASSERT_TRUE(message);
        EXPECT_EQ(message->transaction, (Transaction{1, 2, 3}));
        EXPECT_EQ(message->username, "there:here");
        EXPECT_EQ(message->priority, 77u);
        EXPECT_TRUE(message->use_candidate);
        EXPECT_EQ(message->controlling, 5u);
        EXPECT_EQ(message->mapped, Endpoint::parse(address, 4000));
        EXPECT_TRUE(is_signed(*message, "secret"));
    }
}

TEST(Stun, WhatFollowsTheSignatureDoesNotCount) {
    std::array<std::uint8_t, 200> room{};
    Writer writer(room, Kind::request, binding, {});
    writer.username("a:b");
    const auto whole = writer.finish("secret");
    std::vector<std::uint8_t> longer(whole.begin(), whole.end() - 8);  // USE-CANDIDATE in the place of FINGERPRINT
    longer.insert(longer.end(), {0x00, 0x25, 0x00, 0x00});
    longer[3] = static_cast<std::uint8_t>(longer.size() - 20);
    const auto message = parse(longer);
    ASSERT_TRUE(message);
    EXPECT_TRUE(is_signed(*message, "secret"));
    EXPECT_FALSE(message->use_candidate);
}

TEST(Stun, AMessageThatDoesNotFitIsNoMessage) {
    std::array<std::uint8_t, 40> room{};
    Writer writer(room, Kind::success, binding, {});
    writer.mapped(Endpoint::parse("192.0.2.7", 1));
    EXPECT_TRUE(writer.finish("secret").empty());
}

}  // namespace
}  // namespace tapedeck::webrtc::stun
