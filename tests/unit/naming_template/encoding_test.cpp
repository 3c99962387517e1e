// HEX and BASE64 of names, and the setting that chooses them.
#include "encoding.hpp"

#include <gtest/gtest.h>

#include "tapedeck/context.hpp"

namespace tapedeck::naming {
namespace {

TEST(NameEncoding, KnowsTheSettingsOfFlashphoner) {
    for (const auto& [setting, expected] : {std::pair{"false", Encoding::none},
                                            {"", Encoding::none},
                                            {"false,HEX", Encoding::none},
                                            {"true,HEX", Encoding::hex},
                                            {"true, hex", Encoding::hex},
                                            {"TRUE,Base64", Encoding::base64},
                                            {" true,BASE64 ", Encoding::base64}})
        EXPECT_EQ(parse_encoding(setting), expected) << setting;
}

TEST(NameEncoding, RefusesAnEmptyOrUnknownMethodAndNamesIt) {
    for (const std::string setting : {"true", "true,", "true,ROT13", "yes", "HEX"}) {
        try {
            parse_encoding(setting);
            FAIL() << setting;
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_MALFORMED);
            EXPECT_NE(std::string(error.what()).find("'" + setting + "'"), std::string::npos) << error.what();
            EXPECT_NE(std::string(error.what()).find("true,HEX or true,BASE64"), std::string::npos);
        }
    }
}

TEST(NameEncoding, HexIsLowerCaseAndTakesEveryByte) {
    EXPECT_EQ(encode(Encoding::hex, ""), "");
    EXPECT_EQ(encode(Encoding::hex, "a/b\xFF"), "612f62ff");
    EXPECT_EQ(encode(Encoding::hex, std::string_view("\0\n", 2)), "000a");
}

TEST(NameEncoding, Base64IsUrlSafeAndNotPadded) {  // the vectors of RFC 4648 section 10, and one with both odd digits
    for (const auto& [plain, encoded] : {std::pair{"", ""},
                                         {"f", "Zg"},
                                         {"fo", "Zm8"},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg"},
                                         {"fooba", "Zm9vYmE"},
                                         {"foobar", "Zm9vYmFy"},
                                         {"\xFB\xFF\xFE", "-__-"}})
        EXPECT_EQ(encode(Encoding::base64, plain), encoded) << plain;
}

TEST(NameEncoding, TellsHowMuchFitsIntoARoom) {
    for (const auto method : {Encoding::none, Encoding::hex, Encoding::base64})
        for (std::size_t room = 0; room < 50; ++room) {
            const auto fits = encodable(method, room);
            EXPECT_LE(encode(method, std::string(fits, 'x')).size(), room);
            EXPECT_GT(encode(method, std::string(fits + 1, 'x')).size(), room);
        }
}

}  // namespace
}  // namespace tapedeck::naming
