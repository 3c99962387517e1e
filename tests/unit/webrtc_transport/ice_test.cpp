#include "webrtc/transport/ice.hpp"

#include <gtest/gtest.h>

#include "checks.hpp"
#include "webrtc/transport/rate_limit.hpp"

namespace tapedeck::webrtc {
namespace {

using std::chrono::seconds;

class Ice : public ::testing::Test {
protected:
    IceLite::Outcome check(const std::vector<std::uint8_t>& bytes, const Pair& via, Time now = {}) {
        return ice_.check(stun::parse(bytes).value(), via, now, room_);
    }
    const IceCredentials local_{"local", "0123456789abcdef01234567"};
    IceLite ice_{local_, "peer"};
    std::array<std::uint8_t, 1500> room_{};
    const Pair first_ = pair_from("198.51.100.1", 1), second_ = pair_from("198.51.100.2", 2);
};

TEST_F(Ice, AnswersACheckWithTheAddressItCameFrom) {
    const auto outcome = check(check_of(local_), first_);
    EXPECT_TRUE(outcome.is_verified);
    EXPECT_EQ(outcome.gained, first_);
    const auto answer = stun::parse(outcome.answer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, stun::Kind::success);
    EXPECT_EQ(answer->mapped, first_.remote);
    EXPECT_EQ(answer->transaction, (stun::Transaction{9, 8, 7}));
    EXPECT_TRUE(answer->has_fingerprint);
    EXPECT_TRUE(stun::is_signed(*answer, local_.pwd));
}

TEST_F(Ice, WhoLacksThePasswordGetsASmallerErrorAndNoPair) {
    for (const auto& bytes :
         {check_of({"local", "another"}), check_of({"other", local_.pwd}), check_of(local_, {.remote = "stranger"})}) {
        const auto outcome = check(bytes, first_);
        EXPECT_FALSE(outcome.is_verified);
        EXPECT_FALSE(ice_.knows(first_));
        EXPECT_LT(outcome.answer.size(), bytes.size());
        EXPECT_EQ(stun::parse(outcome.answer).value().error, 401);
    }
    EXPECT_EQ(ice_.selected(), nullptr);
    EXPECT_FALSE(ice_.last_check());
}

TEST_F(Ice, ASideThatWouldBeControlledIsToldToControl) {
    std::array<std::uint8_t, 300> room{};
    stun::Writer writer(room, stun::Kind::request, 0x001, {});
    writer.username("local:peer");
    auto whole = writer.finish(local_.pwd);
    std::vector<std::uint8_t> bytes(whole.begin(), whole.end());
    EXPECT_TRUE(check(bytes, first_).is_verified);
    auto request = stun::parse(bytes).value();
    request.controlled = 1;
    const auto outcome = ice_.check(request, second_, {}, room_);
    EXPECT_EQ(stun::parse(outcome.answer).value().error, 487);
    EXPECT_FALSE(ice_.knows(second_));
}

TEST_F(Ice, ThePairNominatedLastIsTaken) {
    check(check_of(local_, {.is_nominating = false}), first_);
    EXPECT_EQ(ice_.selected(), nullptr);
    check(check_of(local_), first_);
    ASSERT_NE(ice_.selected(), nullptr);
    EXPECT_EQ(*ice_.selected(), first_);
    check(check_of(local_, {.is_nominating = false}), second_);
    EXPECT_EQ(*ice_.selected(), first_);
    check(check_of(local_, {.priority = 5}), second_);  // lower, and yet the peer's choice
    EXPECT_EQ(*ice_.selected(), second_);
}

TEST_F(Ice, OfPairsNominatedAgainAndAgainTheHighestIsTakenUnlessItIsSilent) {
    check(check_of(local_, {.priority = 9}), first_);
    check(check_of(local_, {.priority = 5}), second_);
    check(check_of(local_, {.priority = 9}), first_);
    check(check_of(local_, {.priority = 5}), second_, seconds(1));
    EXPECT_EQ(*ice_.selected(), first_);
    check(check_of(local_, {.priority = 5}), second_, seconds(6));
    EXPECT_EQ(*ice_.selected(), second_);
}

TEST_F(Ice, OnlySoManyPairsAreKeptAndTheSelectedOneStays) {
    check(check_of(local_), first_);
    for (std::uint16_t port = 10; port < 40; ++port)
        check(check_of(local_, {.is_nominating = false}), pair_from("198.51.100.9", port), seconds(port));
    EXPECT_EQ(ice_.pairs().size(), 8u);
    EXPECT_TRUE(ice_.knows(first_));
    EXPECT_TRUE(ice_.knows(pair_from("198.51.100.9", 39)));
    EXPECT_FALSE(ice_.knows(pair_from("198.51.100.9", 10)));
    EXPECT_EQ(*ice_.selected(), first_);
}

TEST_F(Ice, APairWhoseConnectionClosedMakesRoomForOneThatWasNominated) {
    const auto third = pair_from("198.51.100.3", 3);
    check(check_of(local_), first_, seconds(1));
    check(check_of(local_, {.is_nominating = false}), second_, seconds(2));
    check(check_of(local_), third, seconds(3));
    ice_.forget(second_);
    EXPECT_EQ(*ice_.selected(), third) << "what is used stays so";
    ice_.forget(third);
    ASSERT_NE(ice_.selected(), nullptr);
    EXPECT_EQ(*ice_.selected(), first_);
    check(check_of(local_), third, seconds(9));
    ice_.forget(third);
    EXPECT_EQ(ice_.selected(), nullptr) << "the other one is silent";
    EXPECT_TRUE(ice_.knows(first_));
    EXPECT_FALSE(ice_.knows(third));
}

TEST(IceCredentials, AreLongAndNeverTheSame) {
    const auto one = IceCredentials::make(), other = IceCredentials::make();
    EXPECT_EQ(one.ufrag.size(), 16u);
    EXPECT_EQ(one.pwd.size(), 32u);
    EXPECT_NE(one.ufrag, other.ufrag);
    EXPECT_NE(one.pwd, other.pwd);
}

TEST(RateLimit, GivesEachSourceItsBurstAndThenItsRate) {
    RateLimit limit(2, 3);
    const auto one = Endpoint::parse("198.51.100.1", 1), same = Endpoint::parse("198.51.100.1", 2);
    int taken = 0;
    for (int i = 0; i < 10; ++i) taken += limit.take(i % 2 == 0 ? one : same, seconds(100)) ? 1 : 0;
    EXPECT_EQ(taken, 3);
    EXPECT_TRUE(limit.take(one, seconds(101)));
    EXPECT_TRUE(limit.take(one, seconds(101)));
    EXPECT_FALSE(limit.take(one, seconds(101)));
}

}  // namespace
}  // namespace tapedeck::webrtc
