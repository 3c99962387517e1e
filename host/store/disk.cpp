#include "store/disk.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/thread_name.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

constexpr auto check_interval = std::chrono::seconds(1);

/// Bytes free for a user that is not root; throws Error.
std::uint64_t free_bytes(const std::filesystem::path& folder) {
    struct statvfs space {};
    while (::statvfs(folder.c_str(), &space) != 0) {
        if (errno != EINTR) throw_errno("free space of " + folder.string(), errno);
    }
    return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
}

}  // namespace

std::filesystem::path existing_folder(std::filesystem::path folder) {
    std::error_code failed;
    while (!std::filesystem::exists(folder, failed) && folder.has_relative_path()) folder = folder.parent_path();
    return folder;
}

/// One file system, seen through one of its folders.
struct Disk::Watched {
    std::filesystem::path folder;
    std::atomic<std::uint64_t> free = 0;
    std::atomic<bool> enough = true;
};

struct Disk::Shared {
    explicit Shared(Scope scope) : settings(std::move(scope)) {}

    /// Asks the system and tells when the answer changes.
    void look(Watched& watched);

    Scope settings;
    mutable std::mutex mutex;
    std::condition_variable wake, ended;
    std::map<std::uint64_t, std::shared_ptr<Watched>> devices;
    std::map<std::filesystem::path, std::shared_ptr<Watched>> folders;
    Changed changed;
    std::size_t threads = 0;
    bool stopping = false;
};

namespace {

std::string lack(const std::filesystem::path& folder, std::uint64_t free, std::uint64_t minimum) {
    return fmt::format("Not enough available disk space: {} has {} MB free, file_recorder_min_space is {} MB",
                       folder.string(), free >> 20, minimum >> 20);
}

}  // namespace

void Disk::Shared::look(Watched& watched) {
    std::uint64_t free = 0;
    try {
        free = free_bytes(existing_folder(watched.folder));
    } catch (const Error& error) {
        log::warning("{}", error.what());  // an unknown disk is not called full: the write itself will tell
        return;
    }
    const std::uint64_t minimum = settings.bytes(file_recorder_min_space);
    const bool enough = free >= minimum;
    watched.free = free;
    metrics::gauge("tapedeck_disk_free_bytes", fmt::format("folder=\"{}\"", watched.folder.string()),
                   "Free space where recordings are written")
        .store(static_cast<std::int64_t>(free), std::memory_order_relaxed);
    if (watched.enough.exchange(enough) == enough) return;
    if (enough) {
        log::info("{} has {} MB free again", watched.folder.string(), free >> 20);
    } else {
        log::error("{}", lack(watched.folder, free, minimum));
    }
    Changed call;
    {
        const std::lock_guard lock(mutex);
        call = changed;
    }
    if (call) call(watched.folder, enough);
}

Disk::Disk(Scope settings) : shared_(std::make_shared<Shared>(std::move(settings))) {}

Disk::~Disk() {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed = nullptr;
    shared_->wake.notify_all();
    if (!shared_->ended.wait_for(lock, std::chrono::seconds(5), [&] { return shared_->threads == 0; })) {
        log::error("a file system does not answer how much space it has; its watch is left behind");
    }
}

void Disk::on_change(Changed changed) {
    const std::lock_guard lock(shared_->mutex);
    shared_->changed = std::move(changed);
}

std::shared_ptr<Disk::Watched> Disk::find(const std::filesystem::path& folder) const {
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->folders.find(folder);
    return found == shared_->folders.end() ? nullptr : found->second;
}

void Disk::require(const std::filesystem::path& folder) {
    auto watched = find(folder);
    if (watched == nullptr) {
        struct stat status {};
        if (::stat(existing_folder(folder).c_str(), &status) != 0)
            throw_errno("free space of " + folder.string(), errno);
        std::unique_lock lock(shared_->mutex);
        auto& device = shared_->devices[status.st_dev];
        const bool first = device == nullptr;
        if (first) {
            device = std::make_shared<Watched>();
            device->folder = folder;
        }
        watched = shared_->folders[folder] = device;
        if (first) {
            lock.unlock();
            shared_->look(*watched);
            lock.lock();
            ++shared_->threads;
            std::thread([shared = shared_, watched] { run(shared, watched); }).detach();
        }
    }
    const std::uint64_t minimum = shared_->settings.bytes(file_recorder_min_space);
    if (!watched->enough) throw Error(lack(folder, watched->free, minimum), TD_NO_SPACE, true);
}

bool Disk::enough(const std::filesystem::path& folder) const {
    const auto watched = find(folder);
    return watched == nullptr || watched->enough;
}

void Disk::run(const std::shared_ptr<Shared>& shared, const std::shared_ptr<Watched>& watched) {
    name_thread("disk space");
    std::unique_lock lock(shared->mutex);
    while (!shared->wake.wait_for(lock, check_interval, [&] { return shared->stopping; })) {
        lock.unlock();
        shared->look(*watched);
        lock.lock();
    }
    --shared->threads;
    shared->ended.notify_all();
}

}  // namespace tapedeck::host
