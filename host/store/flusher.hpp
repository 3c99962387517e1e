// Brings what open recordings wrote to the disk once a second, so that a power cut costs little.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "store/file.hpp"

namespace tapedeck::host {

/// One thread per file system, never a media thread: a hung one stops only its own. Many files of a local file system
/// are synced by one syncfs, a few by fdatasync. Thread-safe.
class Flusher {
public:
    /// Reads `record_sync` each second.
    explicit Flusher(Scope settings);
    Flusher(const Flusher&) = delete;
    Flusher& operator=(const Flusher&) = delete;
    /// A thread that hangs in the system is left behind.
    ~Flusher();

    /// Until the file is closed.
    void add(const File& file);
    /// One round of all file systems now, waited for; for tests.
    void flush();

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace tapedeck::host
