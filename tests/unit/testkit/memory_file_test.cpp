// MemoryFile does what a file does, and what a test tells it to.
#include "testkit/memory_file.hpp"

#include <gtest/gtest.h>

namespace tapedeck::testkit {
namespace {

class Memory : public testing::Test {
protected:
    td_status write(td_file& file, std::uint64_t at, const std::string& text) {
        const td_bytes bytes{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
        return file.table->write(&file, at, &bytes, 1, &error_);
    }
    td_status write(std::uint64_t at, const std::string& text) { return write(file_, at, text); }
    static std::string text(const MemoryFile& file, std::uint64_t at = 0, std::uint64_t count = UINT64_MAX) {
        const auto bytes = file.contents(at, count);
        return {bytes.begin(), bytes.end()};
    }

    MemoryFile file_;
    td_error error_{};
};

TEST_F(Memory, KeepsWhatIsWrittenAndZerosBetween) {
    EXPECT_EQ(write(4094, "abcd"), TD_OK);
    EXPECT_EQ(file_.size(), 4098u);
    EXPECT_EQ(text(file_), std::string(4094, '\0') + "abcd");
    EXPECT_EQ(file_.bytes_written(), 4u);
    std::array<std::uint8_t, 8> room{};
    std::size_t got = 0;
    EXPECT_EQ(file_.table->read(&file_, 4096, room.data(), room.size(), &got, &error_), TD_OK);
    EXPECT_EQ(got, 2u);
    EXPECT_EQ(room[0], 'c');
    EXPECT_EQ(file_.table->read(&file_, 5000, room.data(), room.size(), &got, &error_), TD_OK);
    EXPECT_EQ(got, 0u);
}

TEST_F(Memory, GathersSpans) {
    const std::string one = "one", two = "two";
    const std::array<td_bytes, 2> spans{{{reinterpret_cast<const std::uint8_t*>(one.data()), 3},
                                         {reinterpret_cast<const std::uint8_t*>(two.data()), 3}}};
    EXPECT_EQ(file_.table->write(&file_, 1, spans.data(), spans.size(), &error_), TD_OK);
    EXPECT_EQ(text(file_, 1), "onetwo");
    EXPECT_EQ(file_.calls(Call::write), 1u);
}

TEST_F(Memory, MaySeemTerabytesLong) {
    EXPECT_EQ(write(5'000'000'000'000, "end"), TD_OK);
    EXPECT_EQ(text(file_, 5'000'000'000'000), "end");
    EXPECT_EQ(text(file_, 4'999'999'999'999, 2), std::string("\0e", 2));
}

TEST_F(Memory, InsertsWholeBlocks) {
    EXPECT_EQ(write(0, std::string(4096, 'a') + "tail"), TD_OK);
    EXPECT_EQ(file_.table->insert(&file_, 4096, 8192, &error_), TD_OK);
    EXPECT_EQ(text(file_), std::string(4096, 'a') + std::string(8192, '\0') + "tail");
    EXPECT_EQ(file_.bytes_written(), 4100u) << "insert moves nothing";
    EXPECT_EQ(file_.table->insert(&file_, 100, 4096, &error_), TD_MALFORMED);
    EXPECT_EQ(file_.table->insert(&file_, 0, 100, &error_), TD_MALFORMED);
    EXPECT_EQ(file_.table->insert(&file_, 1 << 20, 4096, &error_), TD_MALFORMED) << "past the end";
}

TEST_F(Memory, ForgetsWhatIsTruncated) {
    write(0, "abcdef");
    EXPECT_EQ(file_.table->truncate(&file_, 2, &error_), TD_OK);
    EXPECT_EQ(file_.table->truncate(&file_, 4, &error_), TD_OK);
    EXPECT_EQ(text(file_), std::string("ab\0\0", 4));
}

TEST_F(Memory, IsRewrittenByAFreshFile) {
    write(0, "old text");
    td_file* fresh = nullptr;
    ASSERT_EQ(file_.table->rewrite(&file_, &fresh, &error_), TD_OK);
    EXPECT_EQ(fresh->table->copy(fresh, 0, &file_, 4, 4, &error_), TD_OK);
    EXPECT_EQ(text(file_), "old text");
    file_.finish();
    EXPECT_EQ(text(file_), "text");
    EXPECT_EQ(file_.bytes_written(), 12u);
    EXPECT_EQ(file_.table->copy(&file_, 0, &file_, 2, 100, &error_), TD_FAILED) << "more than there is";
}

TEST_F(Memory, RefusesWhatItIsToldTo) {
    file_.unsupported(Call::insert);
    write(0, "x");
    EXPECT_EQ(file_.table->insert(&file_, 0, 4096, &error_), TD_UNSUPPORTED);
    EXPECT_EQ(error_.status, TD_UNSUPPORTED);
    file_.unsupported(Call::insert, false);
    EXPECT_EQ(file_.table->insert(&file_, 0, 4096, &error_), TD_OK);
}

TEST_F(Memory, FailsTheCallsThatItIsToldTo) {
    file_.fail(Call::write, 2, TD_NO_SPACE, 2);
    EXPECT_EQ(write(0, "1"), TD_OK);
    EXPECT_EQ(write(1, "2"), TD_NO_SPACE);
    EXPECT_EQ(write(1, "2"), TD_NO_SPACE);
    EXPECT_EQ(write(1, "3"), TD_OK);
    EXPECT_EQ(text(file_), "13");
}

TEST_F(Memory, StopsAsACrashDoes) {
    file_.crash_after(1, 2);
    EXPECT_EQ(write(0, "abc"), TD_OK);
    EXPECT_FALSE(file_.crashed());
    EXPECT_EQ(write(3, "defg"), TD_FAILED);
    EXPECT_TRUE(file_.crashed());
    EXPECT_EQ(text(file_), "abcde") << "torn inside the last write";
    std::uint64_t length = 0;
    EXPECT_EQ(file_.table->length(&file_, &length, &error_), TD_FAILED);
    EXPECT_EQ(file_.table->truncate(&file_, 0, &error_), TD_FAILED);
    file_.heal();
    EXPECT_EQ(write(5, "!"), TD_OK);
    EXPECT_EQ(text(file_), "abcde!");
}

}  // namespace
}  // namespace tapedeck::testkit
