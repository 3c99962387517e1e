// A part that is no file: what a reader writes is in memory, what it copies stays in the recording.
#include "store/collage.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/error.hpp"
#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

class CollageTest : public ::testing::Test {
protected:
    CollageTest() {
        std::ofstream(folder_.path / "film") << "0123456789";
        source_.emplace(folder_.path / "film", File::Mode::Read);
        collage_.emplace(*source_);
    }

    td_status write(std::uint64_t at, std::string_view text) {
        const std::array spans{td_bytes{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}};
        return collage_->table->write(&*collage_, at, spans.data(), spans.size(), nullptr);
    }
    td_status copy(std::uint64_t at, std::uint64_t from, std::uint64_t count) {
        return collage_->table->copy(&*collage_, at, &*source_, from, count, nullptr);
    }
    std::string text(std::uint64_t at = 0, std::size_t size = 100) {
        std::string bytes(size, '\0');
        std::size_t got = 0;
        EXPECT_EQ(
            collage_->table->read(&*collage_, at, reinterpret_cast<std::uint8_t*>(bytes.data()), size, &got, nullptr),
            TD_OK);
        bytes.resize(got);
        return bytes;
    }

    const TemporaryFolder folder_;
    std::optional<File> source_;
    std::optional<Collage> collage_;
};

TEST_F(CollageTest, IsWhatWasWrittenAndCopiedInTurn) {
    EXPECT_EQ(write(0, "head "), TD_OK);
    EXPECT_EQ(copy(5, 2, 3), TD_OK);
    EXPECT_EQ(copy(8, 5, 2), TD_OK);
    EXPECT_EQ(write(10, " tail"), TD_OK);
    EXPECT_EQ(text(), "head 23456 tail");
    EXPECT_EQ(text(3, 5), "d 234");
    EXPECT_EQ(text(12, 100), "ail");
    EXPECT_EQ(text(15, 1), "");
    EXPECT_EQ(collage_->memory(), 10u);
    ASSERT_EQ(collage_->parts().size(), 3u) << "what lies together is one piece";
    EXPECT_EQ(collage_->parts()[1].first, 2u);
    EXPECT_EQ(collage_->parts()[1].count, 5u);
}

TEST_F(CollageTest, LetsWhatIsInMemoryBeWrittenAgain) {
    write(0, "head ");
    copy(5, 0, 2);
    write(7, " tail");
    EXPECT_EQ(write(1, "EA"), TD_OK);
    EXPECT_EQ(write(10, "AIL, longer"), TD_OK);
    EXPECT_EQ(text(), "hEAd 01 taAIL, longer");
    EXPECT_EQ(write(4, "xx"), TD_UNSUPPORTED) << "a byte of the recording";
}

TEST_F(CollageTest, RefusesHolesForeignFilesAndWhatTheRecordingLacks) {
    EXPECT_EQ(write(1, "x"), TD_UNSUPPORTED);
    EXPECT_EQ(copy(1, 0, 1), TD_UNSUPPORTED);
    EXPECT_EQ(copy(0, 9, 2), TD_MALFORMED);
    EXPECT_EQ(copy(0, UINT64_MAX, 2), TD_MALFORMED);
    File other(folder_.path / "film", File::Mode::Read);
    EXPECT_EQ(collage_->table->copy(&*collage_, 0, &other, 0, 1, nullptr), TD_UNSUPPORTED);
    EXPECT_EQ(collage_->table->truncate(&*collage_, 0, nullptr), TD_UNSUPPORTED);
    EXPECT_EQ(text(), "");
}

}  // namespace
}  // namespace tapedeck::host::test
