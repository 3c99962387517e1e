// HMAC-SHA256 against the vectors of RFC 4231, and what of an event is signed.
#include "signature.hpp"

#include <gtest/gtest.h>

namespace tapedeck::webhook {
namespace {

TEST(Signature, GivesTheDigestsOfRfc4231) {
    EXPECT_EQ(hmac_sha256(std::string(20, '\x0b'), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd')),
              "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/// printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
TEST(Signature, CoversTheTimeAndTheBody) {
    EXPECT_EQ(signature_of("key", 1700000000, R"({"a":1})"),
              "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
    EXPECT_NE(signature_of("key", 1700000000, "x").substr(13), signature_of("key", 1700000001, "x").substr(13));
}

}  // namespace
}  // namespace tapedeck::webhook
