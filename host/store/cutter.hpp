// Parts of recordings by time (R93-R99), and recordings that are still written as files that are whole.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/controls.hpp"
#include "config/settings.hpp"
#include "plugin/extension.hpp"
#include "store/fair_queue.hpp"
#include "store/kept_cuts.hpp"
#include "store/open_readers.hpp"
#include "store/snapshots.hpp"

namespace tapedeck::host {

class Disk;

/// A part of a finished recording is made once, lies in `mp4_cutter_dir` as `stream-s11-e60.mp4` and is given to all
/// who ask for the same (kept_cuts.hpp); of one that is still written a snapshot is made, which is no file
/// (snapshots.hpp). Thread-safe.
class Cutter : public api::RecordCuts {
public:
    /// All must outlive it.
    struct Parts {
        Scope settings;
        /// The active extensions of a kind; the registry's `all`.
        std::function<std::vector<const Extension*>(std::string_view kind)> extensions;
        Disk& disk;
    };

    explicit Cutter(Parts parts);
    Cutter(const Cutter&) = delete;
    Cutter& operator=(const Cutter&) = delete;
    ~Cutter() override { stop(std::chrono::seconds(10)); }

    bool can_cut(std::string_view name) const override;
    std::string setting_for(std::string_view name) const override;
    void cut(const std::filesystem::path& source, const std::string& name, const Times& times, Done done) override;
    std::optional<Kept> kept(const std::filesystem::path& source, const std::string& name, const Times& times) override;
    void snapshot(const api::RecordFiles::Located& source, const std::string& name, const Times& times,
                  const Viewer& viewer, SnapshotDone done) override;

    /// Gives up what waits, with TD_CANCELLED, and waits for what runs. False: it hangs and is left behind. Idempotent.
    bool stop(std::chrono::milliseconds limit);

    /// `cam1/stream.mp4`, 11 s, 60.5 s -> `cam1/stream-s11-e60.5.mp4`. At most 255 bytes behind the last slash.
    static std::string part_name(std::string_view name, const Times& times);

private:
    /// One of both.
    struct Made {
        std::filesystem::path part;
        Snapshots::Pointer snapshot;
    };
    using Told = std::function<void(const Made* made, const Error* failure)>;
    using Make = std::function<Made(const std::stop_token& stop)>;

    const Extension* reader_of(std::string_view name) const;
    void order(const std::string& key, const std::filesystem::path& file, Told told, Make make);
    void run(const std::string& key, const Make& make, const std::stop_token& stop);
    void tell(const std::string& key, const Made* made, const Error* failure);
    void read(const std::filesystem::path& file, const Extension& extension, const OpenReaders::Use& use);
    void tidy(Workers::Clock::time_point from = {});

    const Parts parts_;
    KeptCuts kept_;
    Snapshots snapshots_;
    OpenReaders readers_;

    std::mutex mutex_;
    std::map<std::string, std::vector<Told>> waiting_;  // by what is being made, or is to be
    std::set<std::string> running_;
    std::once_flag swept_;
    FairQueue queue_;  // the last: its tasks use the others
};

}  // namespace tapedeck::host
