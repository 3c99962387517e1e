// Free space of the file systems that recordings are written to (R59-R62).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "config/settings.hpp"

namespace tapedeck::host {

/// The folder itself or the nearest one above it that exists.
std::filesystem::path existing_folder(std::filesystem::path folder);

/// Asks each watched file system once a second, one thread each, so that a hung one stops nobody else. The setting
/// `file_recorder_min_space` is read each time. Thread-safe.
class Disk {
public:
    /// Called on the thread of that file system when its state changes: return at once.
    using Changed = std::function<void(const std::filesystem::path& folder, bool enough)>;

    explicit Disk(Scope settings);
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    /// Ends the threads; one that hangs in the system is left behind.
    ~Disk();

    /// Throws Error(TD_NO_SPACE, "Not enough available disk space: ...") when `folder` has less than the minimum.
    /// Watches its file system from then on; only the first call for a file system asks the system.
    void require(const std::filesystem::path& folder);
    /// What was seen last; true for a folder that nobody asked `require` for. Never waits for a disk.
    bool enough(const std::filesystem::path& folder) const;
    /// One listener; set it before the first `require`. The log line is written in any case.
    void on_change(Changed changed);

private:
    struct Watched;
    struct Shared;
    std::shared_ptr<Watched> find(const std::filesystem::path& folder) const;
    static void run(const std::shared_ptr<Shared>& shared, const std::shared_ptr<Watched>& watched);

    std::shared_ptr<Shared> shared_;
};

}  // namespace tapedeck::host
