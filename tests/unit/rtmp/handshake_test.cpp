#include "rtmp/handshake.hpp"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "bytes.hpp"

namespace tapedeck::rtmp {
namespace {

Bytes hmac(const Bytes& key, const Bytes& data) {
    Bytes digest(32);
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), digest.data(), &size);
    return digest;
}

Bytes text(std::string_view characters) {
    return {characters.begin(), characters.end()};
}

/// C1 or S1 as its sender signs it.
Bytes signed_packet(DigestScheme scheme, std::string_view key, std::uint8_t seed) {
    auto packet = counting(handshake_size, seed);
    std::ranges::copy(hex("00000000 09007c02"), packet.begin());
    const auto place = digest_of(packet, scheme);
    const auto at = place.data() - packet.data();
    auto rest = packet;
    rest.erase(rest.begin() + at, rest.begin() + at + 32);
    std::ranges::copy(hmac(text(key), rest), packet.begin() + at);
    return packet;
}

constexpr std::string_view player = "Genuine Adobe Flash Player 001", server = "Genuine Adobe Flash Media Server 001";
constexpr std::string_view tail = "f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae";

TEST(Handshake, AnswersAPlainClientWithItsOwnBytes) {
    auto c1 = counting(handshake_size, 5);
    std::ranges::fill(c1.begin() + 4, c1.begin() + 8, std::uint8_t{0});
    const auto c2 = Bytes(handshake_size, 1), command = hex("0300");
    const auto sent = join({{3}, c1, c2, command});
    for (const std::size_t portion : {1u, 7u, 1536u, 1537u, 5000u}) {
        Handshake handshake;
        Bytes answer;
        ByteSpan rest(sent);
        Bytes after;
        while (!rest.empty()) {
            auto part = rest.first(std::min(portion, rest.size()));
            rest = rest.subspan(part.size());
            if (!handshake.done()) handshake.read(part, answer);
            after.insert(after.end(), part.begin(), part.end());
        }
        EXPECT_TRUE(handshake.done()) << portion;
        EXPECT_EQ(after, command) << portion;
        ASSERT_EQ(answer.size(), 1 + 2 * handshake_size);
        EXPECT_EQ(answer[0], 3);
        EXPECT_TRUE(std::equal(c1.begin(), c1.end(), answer.begin() + 1 + handshake_size)) << "S2 is C1";
        EXPECT_FALSE(handshake.scheme());
    }
}

TEST(Handshake, SignsItsAnswerInTheClientsScheme) {
    for (const auto scheme : {DigestScheme::digest_first, DigestScheme::digest_second})
        for (const auto seed : std::initializer_list<std::uint8_t>{0, 77, 200}) {
            const auto c1 = signed_packet(scheme, player, seed);
            EXPECT_EQ(find_digest(c1), scheme);
            Handshake handshake;
            Bytes answer;
            const auto sent = join({{3}, c1});
            ByteSpan rest(sent);
            handshake.read(rest, answer);
            EXPECT_EQ(handshake.scheme(), scheme);
            ASSERT_EQ(answer.size(), 1 + 2 * handshake_size);
            const Bytes s1(answer.begin() + 1, answer.begin() + 1 + handshake_size);
            const Bytes s2(answer.begin() + 1 + handshake_size, answer.end());
            // S1 carries the digest that the server's key gives.
            const auto place = digest_of(s1, scheme);
            auto without = s1;
            const auto at = place.data() - s1.data();
            without.erase(without.begin() + at, without.begin() + at + 32);
            EXPECT_TRUE(std::ranges::equal(place, hmac(text(server), without)));
            // S2 ends in a digest made with a key from C1's digest.
            const auto c1_digest = digest_of(c1, scheme);
            const auto key = hmac(join({text(server), hex(tail)}), {c1_digest.begin(), c1_digest.end()});
            EXPECT_TRUE(std::equal(s2.end() - 32, s2.end(), hmac(key, {s2.begin(), s2.end() - 32}).begin()));
        }
}

TEST(Handshake, TakesAClientWithAWrongDigestForAPlainOne) {
    auto c1 = signed_packet(DigestScheme::digest_first, player, 9);
    c1[1535] ^= 1;
    EXPECT_FALSE(find_digest(c1));
    Handshake handshake;
    Bytes answer;
    const auto sent = join({{3}, c1});
    ByteSpan rest(sent);
    handshake.read(rest, answer);
    EXPECT_TRUE(std::equal(c1.begin(), c1.end(), answer.begin() + 1 + handshake_size));
}

TEST(Handshake, RefusesOtherVersions) {
    for (const auto version : std::initializer_list<std::uint8_t>{0, 6, 22, 71}) {  // RTMPE, a TLS client, `G` of GET
        Handshake handshake;
        Bytes answer;
        const Bytes sent{version};
        ByteSpan rest(sent);
        EXPECT_THROW(handshake.read(rest, answer), Malformed);
    }
}

}  // namespace
}  // namespace tapedeck::rtmp
