// What deleted files give back when they are closed.
#include "store/held_space.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

constexpr std::size_t size = 1 << 20;

TEST(HeldSpace, IsThatOfDeletedFilesThatAreStillOpen) {
    const TemporaryFolder folder;
    const auto file = folder.path / "records" / "a";
    fs::create_directories(file.parent_path());
    std::ofstream(file) << std::string(size, 'x');
    std::ifstream one(file);
    const std::ifstream two(file);
    EXPECT_EQ(held_bytes(folder.path), 0u) << "it is not deleted";
    fs::remove(file);
    const auto held = held_bytes(folder.path);
    EXPECT_GE(held, size);
    EXPECT_LT(held, 2 * size) << "open twice, and held once";
    EXPECT_EQ(held_bytes(folder.path / "record"), 0u) << "another folder";
    one.close();
    EXPECT_EQ(held_bytes(folder.path), held);
}

TEST(HeldSpace, EndsWithTheLastThatCloses) {
    const TemporaryFolder folder;
    std::ofstream(folder.path / "a") << std::string(size, 'x');
    std::ifstream open(folder.path / "a");
    fs::remove(folder.path / "a");
    EXPECT_GE(held_bytes(folder.path), size);
    open.close();
    EXPECT_EQ(held_bytes(folder.path), 0u);
}

TEST(HeldSpace, OfAFolderThatIsNotThereIsNone) {
    EXPECT_EQ(held_bytes("/nowhere/at/all"), 0u);
}

}  // namespace
}  // namespace tapedeck::host::test
