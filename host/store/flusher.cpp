#include "store/flusher.hpp"

#include <fcntl.h>
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

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

constexpr auto interval = std::chrono::seconds(1);

struct Watched {
    std::weak_ptr<Descriptor> file;
    std::string path;
};

/// The files of one file system.
struct Device {
    std::vector<Watched> files;
    bool has_thread = false;
    std::uint64_t rounds = 0;  // begun after it was asked for
};

/// Syncs what was written to since the last round. Without any lock: it may take as long as the disk likes.
void sync_all(const std::vector<Watched>& files) {
    static auto& failures = metrics::counter("tapedeck_sync_failures_total", "", "Syncs of recordings that failed");
    std::vector<std::pair<std::shared_ptr<Descriptor>, const std::string*>> dirty;
    for (const auto& [file, path] : files) {
        if (auto open = file.lock(); open && open->dirty.exchange(false, std::memory_order_relaxed)) {
            ::sync_file_range(open->number, 0, 0, SYNC_FILE_RANGE_WRITE);
            dirty.emplace_back(std::move(open), &path);
        }
    }
    for (const auto& [open, path] : dirty) {
        if (::fdatasync(open->number) == 0) continue;
        failures.fetch_add(1, std::memory_order_relaxed);
        log::error("sync {}: {}; what was written in the last second may be lost", *path, std::strerror(errno));
    }
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
    std::unique_lock lock(shared->mutex);
    Device& device = shared->devices.at(number);
    for (;;) {
        shared->wake.wait_for(lock, interval, [&] { return shared->stopping || device.rounds < shared->wanted; });
        if (shared->stopping) break;
        const std::uint64_t round = shared->wanted;
        std::erase_if(device.files, [](const Watched& one) { return one.file.expired(); });
        const auto files = device.files;
        lock.unlock();
        if (shared->settings.boolean(record_sync)) sync_all(files);
        lock.lock();
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
