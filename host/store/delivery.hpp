// From an open file to a stored and announced one: names, finishing, storages, hooks. Every step survives a crash.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "store/file.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

class Catalog;
class Dispatcher;
class Disk;
class Flusher;
class Places;
struct Extension;
class Writer;

/// What a recording writes into.
struct OpenFile {
    std::unique_ptr<File> file;
    std::int64_t row = 0;
    std::string name;  ///< as far as it is known (R81)
};

/// A file that is being written or finished, for who reads it meanwhile.
struct UnderWay {
    std::filesystem::path path;
    std::shared_ptr<Places> places;
};

/// Thread-safe. Order for each file: name, reserve it, finish, home storage, `released`, further storages, hooks in the
/// order in which the files of one media session were finished, done. The catalogue knows each step before the next.
class Delivery {
public:
    /// All must outlive it.
    struct Parts {
        const SettingsSource& settings;
        /// The active extensions of a kind; the registry's `all`.
        std::function<std::vector<const Extension*>(std::string_view kind)> extensions;
        Catalog& catalog;
        Dispatcher& dispatcher;
        Flusher& flusher;
        Disk& disk;
    };
    /// [any] The recording with its name, path and uri; at once when `record_stop_timeout` passed before (then without
    /// uri), with an empty name when the file was lost. Once, on a thread of the delivery: return at once.
    using Released = std::function<void(const Recording& named)>;

    /// Makes the instances of the naming and of the storages and checks that each folder can be written to; throws
    /// Error that names the one that cannot.
    explicit Delivery(Parts parts);
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;
    ~Delivery();

    /// Recovers and delivers what an earlier process left behind, in the background. Once, after construction.
    void sweep();

    /// A new `.part` file with its row. Sets `row`, `path`, `memo` and, from the texts, `checked` of the recording;
    /// `writer`, `extension` and the facts of the stream must be there. [blocking], the recording's own thread. Throws
    /// Error: TD_NO_SPACE when the disk is too full.
    OpenFile open(Recording& recording);
    /// The last packet is written and flushed; `facts` are final. Takes writer and file. Returns at once.
    void finish(std::int64_t row, Recording facts, std::unique_ptr<Writer> writer, std::unique_ptr<File> file,
                Released released);
    /// Nothing was written: the file goes, nothing is announced. The recording's own thread.
    void discard(std::int64_t row, std::unique_ptr<File> file);

    /// TD_RECORD_STARTED; told while this process lives. Returns at once.
    void event_started(const Recording& recording);
    /// TD_RECORD_FAILED with the reason; call it before `finish` of the same file. Returns at once.
    void event_failed(const Recording& recording, const std::string& reason);

    /// Throws Error, TD_EXISTS, when `record_name_collision=fail` and the recording's name is known and taken. What
    /// follows its first file takes a suffix rather than end the recording.
    /// [blocking]
    void require_free_name(const Recording& recording) const;
    /// The file's name as far as known, folders included; what is not known stays a gap such as `{endTime}` (R81).
    /// [blocking] Never throws: a naming that fails gives `<media session>.<extension>`.
    std::string provisional_name(const Recording& recording) const;
    /// The home storage's local folder for this recording (null: in general); empty when it has none.
    std::filesystem::path home_folder(const Recording* recording) const;

    /// The file of this name, as far as it is known, while it is written and finished here; nothing before, afterwards
    /// and for one that an earlier process wrote. [any]
    std::optional<UnderWay> under_way(const std::string& name) const;

    /// Removes a key of the home storage, within `storage_timeout`. Throws Error. [blocking]
    void remove(const std::string& key, const std::stop_token& stop) const;

    /// No retries are begun any more; waits until running steps end or the time is over. The rest stays in the
    /// catalogue.
    void stop(std::chrono::milliseconds limit);
    /// How many files are neither done nor given up. For tests, metrics and shutdown.
    std::size_t pending() const;
    /// Waits until nothing is pending, or the time is over: then false.
    bool wait(std::chrono::milliseconds limit);

    /// Tests look in after each step (`named`, `finished`, ...); false: go no further, as if killed there.
    using Step = std::function<bool(std::string_view step, std::int64_t row)>;
    void on_step(Step step);

private:
    std::shared_ptr<class Pipeline> pipeline_;
};

}  // namespace tapedeck::host
