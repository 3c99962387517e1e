#include "base/file_system.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace tapedeck::host {

FileSystem file_system_of(int descriptor) {
    struct statfs status {};
    if (::fstatfs(descriptor, &status) != 0) return FileSystem::Other;
    constexpr std::array<long, 4> disks{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC};
    const auto type = static_cast<long>(status.f_type);
    if (std::ranges::find(disks, type) != disks.end()) return FileSystem::Disk;
    return type == TMPFS_MAGIC ? FileSystem::Memory : FileSystem::Other;
}

}  // namespace tapedeck::host
