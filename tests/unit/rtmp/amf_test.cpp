#include "rtmp/amf.hpp"

#include <gtest/gtest.h>

#include "bytes.hpp"

namespace tapedeck::rtmp::amf {
namespace {

Value read_one(const Bytes& bytes) {
    ByteReader reader(bytes);
    auto value = read(reader);
    EXPECT_TRUE(reader.empty());
    return value;
}

TEST(Amf, ReadsEveryTypeOfValue) {
    const auto object = Object().set("a", 1.0).set("b", "x");
    for (const auto& [bytes, expected] : {
             std::pair<std::string_view, Value>{"00 3ff0000000000000", 1.0},
             {"01 01", true},
             {"01 00", false},
             {"02 0003 616263", "abc"},
             {"05", Null{}},
             {"06", Undefined{}},
             {"0d", Undefined{}},
             {"07 0001", Undefined{}},
             {"03 0001 61 00 3ff0000000000000 0001 62 02 0001 78 0000 09", object},
             {"08 00000002 0001 61 00 3ff0000000000000 0001 62 02 0001 78 0000 09", object},
             {"10 0003 436c73 0001 61 00 3ff0000000000000 0001 62 02 0001 78 0000 09", object},
             {"0a 00000002 05 01 01", Array{Null{}, true}},
             {"0b 3ff0000000000000 0000", 1.0},
             {"0c 00000003 616263", "abc"},
             {"0f 00000003 616263", "abc"},
         })
        EXPECT_EQ(read_one(hex(bytes)), expected) << bytes;
}

TEST(Amf, ReadsObjectsWithoutTheirEnd) {
    EXPECT_EQ(read_one(hex("08 00000001 0001 61 05")), Value(Object().set("a", Null{})));
}

TEST(Amf, ReadsACommandAsItsValues) {
    const auto values = read_all(hex("02 0007 636f6e6e656374 00 3ff0000000000000 05"));
    ASSERT_EQ(values.size(), 3u);
    EXPECT_EQ(values[0].text(), "connect");
    EXPECT_EQ(values[1].number(), 1.0);
    EXPECT_EQ(values[1].text(), "") << "a number has no text";
    EXPECT_EQ(values[0].number(-1), -1.0);
}

TEST(Amf, RefusesValuesCutAnywhere) {
    const auto bytes = hex("0a 00000003 02 0003 616263 00 3ff0000000000000 0b 3ff0000000000000 0000");
    for (std::size_t size = 1; size < bytes.size(); ++size)
        EXPECT_THROW(read_all(ByteSpan(bytes).first(size)), Malformed) << size;
    EXPECT_NO_THROW(read_all(bytes));
}

TEST(Amf, RefusesWhatItDoesNotKnow) {
    for (const auto bytes : {"11 0401", "04 0001 61", "0e", "ff"})
        EXPECT_THROW(read_all(hex(bytes)), Malformed) << bytes;
}

TEST(Amf, RefusesDeepNesting) {
    Bytes deep;
    for (int i = 0; i < 1000; ++i) deep = join({deep, hex("0a 00000001")});
    EXPECT_THROW(read_all(deep), Malformed);
    Bytes fine;
    for (int i = 0; i < 16; ++i) fine = join({fine, hex("0a 00000001")});
    EXPECT_NO_THROW(read_all(join({fine, {5}})));
}

TEST(Amf, DoesNotBelieveTheLengthOfAnArray) {
    EXPECT_THROW(read_all(hex("0a ffffffff 05")), Malformed);  // and does not reserve 4 billion values first
}

TEST(Amf, ReadsBackWhatItWrites) {
    const Value values[] = {1.5,
                            true,
                            "text",
                            std::string(70000, 'x'),
                            Null{},
                            Undefined{},
                            Object().set("level", "status").set("inner", Object().set("n", 3.0)),
                            Array{1.0, "two", Null{}}};
    for (const auto& value : values) {
        Bytes bytes;
        write(bytes, value);
        EXPECT_EQ(read_one(bytes), value);
    }
}

TEST(Amf, FindsMembersByName) {
    const auto object = Object().set("app", "live").set("app", "second");
    ASSERT_NE(object.find("app"), nullptr);
    EXPECT_EQ(object.find("app")->text(), "live");
    EXPECT_EQ(object.find("tcUrl"), nullptr);
}

}  // namespace
}  // namespace tapedeck::rtmp::amf
