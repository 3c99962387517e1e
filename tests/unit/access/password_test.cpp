#include "access/password.hpp"

#include <gtest/gtest.h>

namespace tapedeck::host {
namespace {

TEST(Password, MatchesItsOwnHashOnly) {
    const auto hash = hash_password("correct horse");
    EXPECT_TRUE(hash.starts_with("pbkdf2-sha256$100000$")) << hash;
    EXPECT_TRUE(is_hash(hash));
    EXPECT_TRUE(matches_hash("correct horse", hash));
    EXPECT_FALSE(matches_hash("correct hors", hash));
    EXPECT_FALSE(matches_hash("", hash));
    EXPECT_NE(hash_password("correct horse"), hash) << "every hash has a salt of its own";
}

TEST(Password, IsHashedAsPbkdf2DoesElsewhere) {
    // RFC 7914 section 11: PBKDF2-HMAC-SHA-256 (P="passwd", S="salt", c=1), the first 32 of its 64 bytes.
    EXPECT_TRUE(matches_hash(
        "passwd", "pbkdf2-sha256$1$73616c74$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"));
    // The same with P="Password", S="NaCl", c=80000.
    EXPECT_TRUE(matches_hash(
        "Password", "pbkdf2-sha256$80000$4e61436c$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"));
}

TEST(Password, OfTokensIsAPlainDigest) {
    EXPECT_EQ(hash_token("abc"), "sha256$ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_TRUE(matches_hash("abc", hash_token("abc")));
    EXPECT_FALSE(matches_hash("abd", hash_token("abc")));
    const auto token = new_token();
    EXPECT_EQ(token.size(), 43U);
    EXPECT_NE(token, new_token());
}

TEST(Password, HashesOfAnotherFormMatchNothing) {
    for (const auto* text : {"", "secret", "pbkdf2-sha256$", "pbkdf2-sha256$1$73616c74", "pbkdf2-sha256$0$73616c74$00",
                             "pbkdf2-sha256$1$zz$00", "sha256$", "sha256$abcd", "pbkdf2-sha256$99999999999$00$00",
                             "pbkdf2-sha256$1$73616c74$55ac046e56e3089f", "md5$00"}) {
        EXPECT_FALSE(is_hash(text)) << text;
        EXPECT_FALSE(matches_hash("", text)) << text;
        EXPECT_FALSE(matches_hash(text, text)) << text;
    }
}

}  // namespace
}  // namespace tapedeck::host
