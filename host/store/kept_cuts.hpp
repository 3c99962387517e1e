// Parts of recordings that lie on the disk as files of their own, and which of them go again.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "api/controls.hpp"
#include "config/settings.hpp"
#include "store/cut_list.hpp"
#include "store/file.hpp"

namespace tapedeck::host {

class Disk;

/// A part is known by what was asked for, `cam1/stream.mp4?start=11`, and given again while the recording has the size
/// and time of change that it had. Nothing but own parts is ever replaced or deleted: where another file has the wanted
/// name, the part is called `stream-s11-2.mp4`. Thread-safe; [blocking].
class KeptCuts {
public:
    /// Reads the list of parts. `disk` must outlive it.
    KeptCuts(Scope settings, Disk& disk);

    /// The part of this version of the recording, if it lies there still.
    std::optional<std::filesystem::path> find(const std::string& asked, const FileVersion& source);
    /// The same, opened, where nothing has to be waited for. [any]
    std::optional<api::RecordCuts::Kept> find_at_once(const std::string& asked, const FileVersion& source);
    /// Whether this file is such a part.
    bool has(const std::filesystem::path& file) const;

    /// What is to be made; `bytes` is what it takes at most.
    struct Order {
        std::string asked, name;
        std::uint64_t bytes = 0;
    };
    /// Gives the version of the recording that it cut from.
    using Write = std::function<FileVersion(File& part)>;
    /// Writes to a temporary name; afterwards it is a part. Throws Error: TD_NO_SPACE among others, and what `write`
    /// throws.
    std::filesystem::path make(const Order& order, const Write& write);

    /// Deletes what is too old, then what was not asked for longest while all together have too much. The newest stays.
    void clean();
    /// Deletes what a killed process left half made. Before the first `make`.
    void remove_leftovers() const;
    /// Writes the list anew.
    void save() const;

private:
    void require_space() const;
    std::filesystem::path place(const std::filesystem::path& temporary, const Order& order, KnownCut cut);
    void remove(const std::string& asked);

    const Scope settings_;
    Disk& disk_;
    const std::filesystem::path folder_;
    mutable std::mutex mutex_;
    CutList list_;
    std::atomic<std::uint64_t> made_ = 0;     // makes temporary names differ
    std::atomic<std::uint64_t> in_work_ = 0;  // bytes that parts take which are being made
};

}  // namespace tapedeck::host
