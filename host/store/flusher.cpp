#include "store/flusher.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file_system.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/thread_name.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto interval = std::chrono::seconds(1);
constexpr std::size_t few_files = 4;                       ///< so few are synced one by one
constexpr auto strangers_pause = std::chrono::minutes(1);  ///< after others' data made the common sync slow

struct Watched {
    std::weak_ptr<Descriptor> file;
    std::string path;
};

/// The files of one file system.
struct Device {
    std::vector<Watched> files;
    bool has_thread = false;
    std::uint64_t rounds = 0;       // begun after it was asked for
    Clock::time_point common_from;  // when syncfs may be tried
};

/// Whether syncfs leaves nothing behind, which a network or FUSE file system does not promise.
bool has_common_sync(int descriptor) {
    return file_system_of(descriptor) == FileSystem::Disk;
}

using Dirty = std::vector<std::pair<std::shared_ptr<Descriptor>, const std::string*>>;

/// A file whose name was removed may have been saved to another file system.
bool are_together(const Dirty& dirty) {
    const auto device = [](const auto& one) {
        struct stat status {};
        return ::fstat(one.first->number, &status) == 0 ? status.st_dev : dev_t{};
    };
    const dev_t first = device(dirty.front());
    return std::ranges::all_of(dirty, [&](const auto& one) { return device(one) == first; });
}

/// One flush of the disk's cache for all files instead of one for each. It takes other programs' data along: when that
/// makes it slow, the files are synced one by one for a while. False: it failed, or it was not tried.
bool sync_together(const Dirty& dirty, Clock::time_point& common_from) {
    const auto begun = Clock::now();
    if (dirty.size() < few_files || begun < common_from || !has_common_sync(dirty.front().first->number)) return false;
    if (!are_together(dirty)) return false;
    if (::syncfs(dirty.front().first->number) != 0) return false;  // one by one tells which file it is
    if (Clock::now() - begun > interval) common_from = Clock::now() + strangers_pause;
    return true;
}

/// Starts the writing of all before it waits for the first, so that their journal commits fall together.
void sync_each(const Dirty& dirty) {
    static auto& failures = metrics::counter("tapedeck_sync_failures_total", "", "Syncs of recordings that failed");
    for (const auto& [open, path] : dirty) ::sync_file_range(open->number, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (const auto& [open, path] : dirty) {
        if (::fdatasync(open->number) == 0) continue;
        failures.fetch_add(1, std::memory_order_relaxed);
        log::error("sync {}: {}; what was written in the last second may be lost", *path, std::strerror(errno));
    }
}

/// Syncs what was written to since the last round. Without any lock: it may take as long as the disk likes.
void sync_all(const std::vector<Watched>& files, Clock::time_point& common_from) {
    Dirty dirty;
    for (const auto& [file, path] : files) {
        if (auto open = file.lock(); open && open->dirty.exchange(false, std::memory_order_relaxed)) {
            dirty.emplace_back(std::move(open), &path);
        }
    }
    if (!sync_together(dirty, common_from)) sync_each(dirty);
}

}  // namespace

struct Flusher::Shared {
    explicit Shared(Scope scope) : settings(std::move(scope)) {}

    Scope settings;
    std::mutex mutex;
    std::condition_variable wake, done;
    std::map<std::uint64_t, Device> devices;
    std::uint64_t wanted = 0;  // rounds asked for by flush()
    std::size_t threads = 0;
    bool stopping = false;

    static void run(const std::shared_ptr<Shared>& shared, std::uint64_t number);
};

void Flusher::Shared::run(const std::shared_ptr<Shared>& shared, std::uint64_t number) {
    name_thread("sync");
    std::unique_lock lock(shared->mutex);
    Device& device = shared->devices.at(number);
    for (;;) {
        shared->wake.wait_for(lock, interval, [&] { return shared->stopping || device.rounds < shared->wanted; });
        if (shared->stopping) break;
        const std::uint64_t round = shared->wanted;
        std::erase_if(device.files, [](const Watched& one) { return one.file.expired(); });
        const auto files = device.files;
        Clock::time_point common_from = device.common_from;
        lock.unlock();
        if (shared->settings.boolean(record_sync)) sync_all(files, common_from);
        lock.lock();
        device.common_from = common_from;
        device.rounds = round;
        shared->done.notify_all();
        // A file system without recordings has no thread; the next file starts one.
        if (device.files.empty() && device.rounds == shared->wanted) break;
    }
    device.has_thread = false;
    --shared->threads;
    shared->done.notify_all();
}

Flusher::Flusher(Scope settings) : shared_(std::make_shared<Shared>(std::move(settings))) {}

Flusher::~Flusher() {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->wake.notify_all();
    if (!shared_->done.wait_for(lock, std::chrono::seconds(5), [&] { return shared_->threads == 0; })) {
        log::error("the sync of a file system hangs and is left behind");
    }
}

void Flusher::add(const File& file) {
    const std::lock_guard lock(shared_->mutex);
    Device& device = shared_->devices[file.device()];
    device.files.push_back({file.descriptor(), file.path().string()});
    if (device.has_thread) return;
    device.has_thread = true;
    device.rounds = shared_->wanted;
    ++shared_->threads;
    std::thread([shared = shared_, number = file.device()] { Shared::run(shared, number); }).detach();
}

void Flusher::flush() {
    std::unique_lock lock(shared_->mutex);
    const std::uint64_t round = ++shared_->wanted;
    shared_->wake.notify_all();
    shared_->done.wait(lock, [&] {
        return std::ranges::all_of(
            shared_->devices, [&](const auto& one) { return !one.second.has_thread || one.second.rounds >= round; });
    });
}

}  // namespace tapedeck::host
