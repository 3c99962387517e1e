// Room kept on a disk. What it is for, a full disk, is seen by tests/flow/disk.py.
#include "store/reserve.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "doubles.hpp"
#include "store/held_space.hpp"

namespace tapedeck::host::test {
namespace {

/// Bytes of disk that this process holds by files without a name in `folder`.
std::uint64_t kept_in(const fs::path& folder) {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;  // the iterator's own
        struct stat file {};
        if (fs::read_symlink(entry, ignored).native().starts_with(folder.native() + "/#") &&
            ::stat(entry.path().c_str(), &file) == 0) {
            bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
        }
    }
    return bytes;
}

TEST(Reserve, GrowsWithTheFileAndLeavesNothing) {
    for (const char* where : {"/tmp", "/dev/shm"}) {
        const TemporaryFolder folder(where);
        {
            Reserve reserve(folder.path);
            const auto first = kept_in(folder.path);
            EXPECT_GE(first, 128u << 10) << where;
            reserve.grow(1 << 20);
            EXPECT_EQ(kept_in(folder.path), first) << where;
            reserve.grow(64 << 20);
            EXPECT_GE(kept_in(folder.path), 1u << 20) << where;
            EXPECT_TRUE(fs::is_empty(folder.path)) << where;
            EXPECT_EQ(held_bytes(folder.path), 0u) << where << ": nobody's deleted file";
        }
        EXPECT_EQ(kept_in(folder.path), 0u) << where;
    }
}

TEST(Reserve, IsNoneWhereTheFolderCannotHaveFiles) {
    Reserve reserve("/proc/self");
    reserve.grow(64 << 20);
    EXPECT_EQ(kept_in("/proc/self"), 0u);
}

}  // namespace
}  // namespace tapedeck::host::test
