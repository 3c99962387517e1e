// Files opened by threads that must not wait.
#include "base/at_once.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

bool opens(const std::filesystem::path& file) {
    int descriptor = -1;
    for (int i = 0; i < 1000 && descriptor < 0; ++i) descriptor = open_at_once(file);  // the kernel may be busy
    if (descriptor >= 0) ::close(descriptor);
    return descriptor >= 0;
}

TEST(AtOnce, OpensRegularFilesOfThisMachine) {
    const TemporaryFolder memory("/dev/shm");
    const auto file = memory.path / "file";
    std::ofstream(file) << "text";
    ASSERT_EQ(::mkfifo((memory.path / "fifo").c_str(), 0600), 0);
    ASSERT_TRUE(is_local(file));
    EXPECT_TRUE(opens(file));
    EXPECT_EQ(stat_at_once(file)->st_size, 4);
    EXPECT_FALSE(opens(memory.path));
    EXPECT_FALSE(opens(memory.path / "fifo"));
    EXPECT_FALSE(opens(memory.path / "none"));
}

TEST(AtOnce, LeavesAloneWhatMayAskOthers) {
    const std::filesystem::path file = "/proc/self/status";
    EXPECT_FALSE(is_local(file));
    EXPECT_FALSE(opens(file));
    EXPECT_FALSE(stat_at_once(file));
}

}  // namespace
}  // namespace tapedeck::host::test
