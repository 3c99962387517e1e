#include "record/rotation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

constexpr std::int64_t second = 1'000'000, hour = 3600 * second, day = 24 * hour;

TEST(Rotation, IsSecondsOrASizeOrOff) {
    for (const auto& [text, seconds, bytes] : {std::tuple{"20", 20, 0ull},
                                               {"10M", 0, 10ull << 20},
                                               {"10m", 0, 10ull << 20},
                                               {" 3 k ", 0, 3ull << 10},
                                               {"1G", 0, 1ull << 30},
                                               {"", 0, 0ull},
                                               {"0", 0, 0ull},
                                               {"disabled", 0, 0ull},
                                               {"Disabled", 0, 0ull}}) {
        const Rotation rotation = parse_rotation(text);
        EXPECT_EQ(rotation.duration_us, seconds * 1'000'000ll) << text;
        EXPECT_EQ(rotation.bytes, bytes) << text;
    }
}

TEST(Rotation, RefusesAnythingElseByName) {
    for (const char* text : {"abc", "10X", "-5", "10MM", "M", "99999999999999999999"}) {
        EXPECT_THROW(
            {
                try {
                    parse_rotation(text);
                } catch (const Error& e) {
                    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
                    throw;
                }
            },
            Error)
            << text;
    }
}

TEST(Rotation, AlignedFilesEndAtMultiplesFromMidnight) {
    const std::int64_t noon = 20'000 * day + 12 * hour;
    EXPECT_EQ(until_multiple(hour, noon + 5 * 60 * second, 0), hour - 5 * 60 * second);
    EXPECT_EQ(until_multiple(hour, noon, 0), hour);
    EXPECT_EQ(until_multiple(hour, noon, hour / 2), hour / 2) << "half an hour east of UTC";
    EXPECT_EQ(until_multiple(hour, noon, -hour / 4), hour / 4);
    EXPECT_EQ(until_multiple(day, noon, 2 * hour), 10 * hour);
    EXPECT_EQ(until_multiple(hour, noon - second / 2, 0), hour + second / 2) << "no file of half a second";
    EXPECT_EQ(until_multiple(5 * hour, noon + 9 * hour, 0), 3 * hour) << "midnight ends a day's last file";
}

TEST(Rotation, AlignedFilesCountFromTheirFirstPictureAndNotFromTheirOpening) {
    const std::int64_t opened_now = until_multiple(hour, 0);
    const std::int64_t begun_before = until_multiple(hour, 600 * second);
    const std::int64_t longer = (begun_before - opened_now + hour) % hour;
    EXPECT_NEAR(static_cast<double>(longer), 600.0 * second, 30.0 * second);
}

}  // namespace
}  // namespace tapedeck::host
