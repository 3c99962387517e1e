// Deletes the oldest finished recordings when they are too old or take too much room.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "config/settings.hpp"
#include "event/workers.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

class Catalog;

/// Looks once a minute, on a thread of its own, while one of the `retention.` settings is set. Only what the catalogue
/// calls done is deleted: stored everywhere and told to every hook. What lies in the home storage's folder but is not
/// the file that was recorded, by its size, stays and is forgotten; so is a row whose file somebody took away. Copies
/// in further storages stay. Thread-safe.
class Retention {
public:
    /// All must outlive it.
    struct Parts {
        Scope settings;
        Catalog& catalog;
        /// The home storage's local folder; empty: it has none, so files are neither looked at nor is there free space.
        std::function<std::filesystem::path()> folder;
        /// Removes a key of the home storage. [blocking] Throws Error.
        std::function<void(const std::string& key, const std::stop_token&)> remove;
        /// Bytes free in that folder, or soon to be. [blocking] Nothing when the system does not say.
        std::function<std::optional<std::uint64_t>(const std::filesystem::path& folder)> free_bytes;
    };

    explicit Retention(Parts parts);
    Retention(const Retention&) = delete;
    Retention& operator=(const Retention&) = delete;
    ~Retention();

    /// The first round now, the others each minute. Once.
    void start();
    /// A round as soon as possible: settings have changed, or a disk is nearly full. Returns at once.
    void wake();
    /// False: a disk hangs, and the round on it is left behind.
    bool stop(std::chrono::milliseconds limit);
    /// One round, on the caller's thread.
    void round(const std::stop_token& stop);

    /// The free space as the system tells it, for Parts, with what deleted files give back when they are closed;
    /// without that where less than `least` is free now, since recordings would stop while downloads go on.
    static std::optional<std::uint64_t> free_bytes_of(const std::filesystem::path& folder, std::uint64_t least);

private:
    /// A finished recording, with what is needed to choose.
    struct Kept {
        std::string name;
        std::int64_t end_us;
        std::uint64_t bytes;
    };
    /// By a deletion.
    struct Freed {
        std::uint64_t recorded = 0;  ///< bytes of the recording
        std::uint64_t space = 0;     ///< of the disk, once nobody has the file open
    };
    struct Limits;

    void again();
    void add(const Recording& facts);
    void drop(std::int64_t row);
    bool load(const std::stop_token& stop);
    void unload();
    Limits limits() const;
    std::uint64_t lack() const;
    std::uint64_t bytes_there(const std::filesystem::path& folder) const;
    std::optional<std::pair<std::int64_t, Kept>> next(std::int64_t after) const;
    bool is_owner(std::int64_t row) const;
    void require_recordings() const;
    Freed remove(std::int64_t row, const char* reason, const std::stop_token& stop);

    const Parts parts_;
    mutable std::mutex mutex_;  ///< never held while the catalogue is called, which calls `add` with its own lock
    bool loaded_ = false;
    std::filesystem::path folder_;
    std::map<std::int64_t, Kept> kept_;                      ///< by row, which is the time of its begin
    std::map<std::string, std::int64_t, std::less<>> rows_;  ///< who has the file of this name
    Workers workers_;
};

}  // namespace tapedeck::host
