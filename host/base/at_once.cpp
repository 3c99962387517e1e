#include "base/at_once.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <mutex>
#include <set>

#include "base/file_system.hpp"

namespace tapedeck::host {
namespace {

class LocalDevices {
public:
    void note(dev_t device, bool is_local) {
        const std::lock_guard lock(mutex_);
        if (is_local) {
            known_.insert(device);
        } else {
            known_.erase(device);
        }
    }
    bool has(dev_t device) const {
        const std::lock_guard lock(mutex_);
        return known_.contains(device);
    }

private:
    mutable std::mutex mutex_;
    std::set<dev_t> known_;
};

LocalDevices& local_devices() {
    static LocalDevices devices;
    return devices;
}

/// From Linux 5.12 on; fails where a part of the path is not in memory.
int open_cached(const std::filesystem::path& file, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_CACHED;
    return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, file.c_str(), &how, sizeof how));
}

/// Of a file on a disk that is known to be local. Asks no network, whatever the file lies on.
std::optional<struct stat> local_stat(int descriptor) {
    struct statx facts {};
    const int failed = ::statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &facts);
    struct stat known {};
    known.st_dev = ::makedev(facts.stx_dev_major, facts.stx_dev_minor);
    if (failed != 0 || !local_devices().has(known.st_dev)) return {};
    known.st_ino = facts.stx_ino;
    known.st_mode = facts.stx_mode;
    known.st_size = static_cast<off_t>(facts.stx_size);
    known.st_mtim = {.tv_sec = facts.stx_mtime.tv_sec, .tv_nsec = facts.stx_mtime.tv_nsec};
    return known;
}

}  // namespace

bool is_local(int descriptor) {
    const bool local = file_system_of(descriptor) != FileSystem::Other;
    struct stat facts {};
    if (::fstat(descriptor, &facts) == 0) local_devices().note(facts.st_dev, local);
    return local;
}

bool is_local(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_PATH | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool local = is_local(descriptor);
    ::close(descriptor);
    return local;
}

std::optional<struct stat> stat_at_once(const std::filesystem::path& file) {
    const int descriptor = open_cached(file, O_PATH);
    if (descriptor < 0) return {};
    const auto facts = local_stat(descriptor);
    ::close(descriptor);
    return facts;
}

int open_at_once(const std::filesystem::path& file) {
    const auto facts = stat_at_once(file);  // opening may ask the network even where looking does not
    if (!facts || !S_ISREG(facts->st_mode)) return -1;
    // To note when it was read might wait for the file system's journal.
    return open_cached(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOATIME);
}

}  // namespace tapedeck::host
