#include "rtmp/adobe_login.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {
namespace {

const AdobeLogin login{"me", "p@ss", "00112233"};
const std::string
    needs = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
    puts = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=me&salt=5xs=&challenge=aGk=";

std::string why_not(const AdobeLogin& who, const std::string& description, const std::string& sent) {
    try {
        return "answered: " + who.answer(description, sent);
    } catch (const Error& e) {
        return e.what();
    }
}

TEST(AdobeLoginTest, NamesItsUserFirstAndThenAnswersTheChallenge) {
    EXPECT_TRUE(asks_for_adobe_login(needs));
    EXPECT_FALSE(asks_for_adobe_login("[ AccessManager.Reject ] : [ authmod=llnw ]"));
    EXPECT_EQ(login.answer(needs, ""), "?authmod=adobe&user=me");
    EXPECT_EQ(login.answer(puts, "?authmod=adobe&user=me"),
              "?authmod=adobe&user=me&challenge=00112233&response=fndYMtyKrngPPpFOtR+dWw==");
    EXPECT_EQ(login.answer(puts + "&opaque=b3A=", "?authmod=adobe&user=me"),
              "?authmod=adobe&user=me&challenge=00112233&response=m2kwxF8hEfgYRliYhOM35g==&opaque=b3A=");
    EXPECT_EQ((AdobeLogin{"a b&c", "", ""}.answer(needs, "")), "?authmod=adobe&user=a%20b%26c");
}

TEST(AdobeLoginTest, TellsWhyNoLoginWillDo) {
    EXPECT_EQ(why_not({}, needs, ""), "it wants a login, and the address has none: rtmp://user:password@host/...");
    const std::string sent = "?authmod=adobe&user=me&challenge=00112233&response=abc";
    for (const auto* reason : {"authfailed", "nosuchuser"})
        EXPECT_EQ(
            why_not(login, "[ authmod=adobe ] : ?reason=" + std::string(reason) + "&user=me", "?authmod=adobe&user=me"),
            "wrong login or password");
    EXPECT_EQ(why_not(login, puts, sent), "wrong login or password") << "asked again";
    EXPECT_EQ(why_not(login, "[ authmod=adobe ] : ?reason=moon", ""),
              "it refuses the login without a word that is known: [ authmod=adobe ] : ?reason=moon");
}

}  // namespace
}  // namespace tapedeck::rtmp
