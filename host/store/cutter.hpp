// Parts of recordings by time (R93-R99): made once, kept as files, given to all who ask for the same.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/controls.hpp"
#include "config/settings.hpp"
#include "plugin/extension.hpp"
#include "store/cut_list.hpp"
#include "store/open_readers.hpp"

namespace tapedeck::host {

class Disk;

/// A part lies in `mp4_cutter_dir` as `stream-s11-e60.mp4` and is given again while the recording has the size and time
/// of change that it had. Nothing but own parts is ever replaced or deleted: where somebody else's file has the name,
/// the part is called `stream-s11-e60-2.mp4`. Thread-safe.
class Cutter : public api::RecordCuts {
public:
    /// All must outlive it.
    struct Parts {
        Scope settings;
        /// The active extensions of a kind; the registry's `all`.
        std::function<std::vector<const Extension*>(std::string_view kind)> extensions;
        Disk& disk;
    };

    /// Reads the list of parts; deletes what a killed process left half made, and what is too old or too much, in the
    /// background.
    explicit Cutter(Parts parts);
    Cutter(const Cutter&) = delete;
    Cutter& operator=(const Cutter&) = delete;
    ~Cutter() override { stop(); }

    bool can_cut(std::string_view name) const override;
    void cut(const std::filesystem::path& source, const std::string& name, const Times& times, Done done) override;

    /// Gives up what waits and what runs; those who wait get TD_CANCELLED. Idempotent.
    void stop();

    /// `cam1/stream.mp4`, 11 s, 60.5 s -> `cam1/stream-s11-e60.5.mp4`. At most 255 bytes behind the last slash.
    static std::string part_name(std::string_view name, const Times& times);

private:
    struct Job {
        std::string name;  ///< of the part
        std::filesystem::path source;
        FileVersion version;
        Times times;
        const Extension* reader;
        std::vector<Done> waiting;
    };

    const Extension* reader_of(std::string_view name) const;
    std::optional<std::filesystem::path> kept(const std::string& name, const FileVersion& version);
    void run(const std::stop_token& stop);
    std::filesystem::path make(const Job& job, const std::stop_token& stop);
    bool is_part(const std::filesystem::path& file, const std::string& name);
    void require_space(std::uint64_t bytes);
    void write(const std::filesystem::path& file, const Job& job, FileVersion& cut_from, const std::stop_token& stop);
    std::filesystem::path place(const std::filesystem::path& temporary, const std::string& name, KnownCut cut);
    void remove_own(const std::string& name);
    void clean();
    void remove_leftovers() const;

    Parts parts_;
    const std::filesystem::path folder_;
    OpenReaders readers_;

    mutable std::mutex mutex_;
    std::condition_variable_any wake_;
    std::once_flag swept_;
    CutList list_;
    std::map<std::string, std::shared_ptr<Job>> jobs_;  // by part and version; waiting ones and running ones
    std::deque<std::string> queue_;
    bool stopping_ = false;
    std::uint64_t made_ = 0;  // makes temporary names differ
    std::vector<std::jthread> threads_;
};

}  // namespace tapedeck::host
