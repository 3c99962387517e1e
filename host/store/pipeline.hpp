// The steps of a file from its last packet to its last hook, each committed before the next one begins.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "event/workers.hpp"
#include "plugin/naming.hpp"
#include "plugin/storage.hpp"
#include "plugin/writer.hpp"
#include "store/catalog.hpp"
#include "store/delivery.hpp"
#include "store/naming.hpp"
#include "store/staging.hpp"

namespace tapedeck::host {

/// One file on its way. One step at a time has it; what several threads look at is guarded by the pipeline's mutex.
struct Job {
    Entry entry;  ///< `debts`: guarded; `facts` as well until the file is closed, since `finish` replaces them
    std::unique_ptr<File> file;
    std::unique_ptr<Writer> writer;  ///< after `file`, so that it ends first
    unsigned failures = 0;           ///< of the present step
    bool recovered = false;

    // Guarded.
    Delivery::Released released;
    Recording shown;                 ///< what `released` tells when the time is over
    std::string known_as;            ///< its name as far as it is known
    std::filesystem::path path;      ///< where it lies now
    std::shared_ptr<Places> places;  ///< for who reads it meanwhile
    bool is_closed = false, is_stored = false;
    std::set<std::pair<std::string, std::int32_t>> sent;  ///< debts that are with a hook or storage now
    std::set<std::string> resting;                        ///< hooks that failed and are called again later
};

/// Behind Delivery; tasks hold it, so that a call that hangs keeps what it needs.
class Pipeline : public std::enable_shared_from_this<Pipeline> {
public:
    using JobPtr = std::shared_ptr<Job>;

    explicit Pipeline(Delivery::Parts parts);

    void sweep();
    OpenFile open(Recording& recording);
    void finish(std::int64_t row, Recording facts, std::unique_ptr<Writer> writer, std::unique_ptr<File> file,
                Delivery::Released released);
    void discard(std::int64_t row, std::unique_ptr<File> file);
    void event_started(const Recording& recording);
    void event_failed(const Recording& recording, const std::string& reason);
    void require_free_name(const Recording& recording) const;
    std::string provisional_name(const Recording& recording) const;
    std::filesystem::path home_folder(const Recording* recording) const;
    std::optional<UnderWay> under_way(const std::string& name) const;
    void remove(const std::string& key, const std::stop_token& stop) const;
    void stop(std::chrono::milliseconds limit);
    std::size_t pending() const;
    /// Until nothing is left to do but what waits for another attempt of a hook; the next start takes that up.
    bool wait(std::chrono::milliseconds limit);
    void on_step(Delivery::Step step);

private:
    using StepFunction = void (Pipeline::*)(const JobPtr&, const std::stop_token&);
    struct Target {
        Target(const Extension& extension, std::size_t threads)
            : storage(extension), name(extension.name()), workers(name, threads) {}
        Storage storage;
        const std::string name;
        Workers workers;
    };

    // The steps, in order.
    void name(const JobPtr& job, const std::stop_token& stop);
    void seal(const JobPtr& job, const std::stop_token& stop);
    void put(const JobPtr& job, const std::stop_token& stop);
    void stored(const JobPtr& job, const std::stop_token& stop);
    void settle(const JobPtr& job);
    void put_more(const JobPtr& job, Target& target, const std::stop_token& stop);
    void announce(const std::string& session);
    void tell_hooks(const JobPtr& job);
    void paid(const JobPtr& job, const Debt& debt);
    void done(const JobPtr& job);
    void tell(const JobPtr& job);
    // Ways out.
    void quarantine(const JobPtr& job, const std::string& why);
    void erase(const JobPtr& job);
    void lost(const JobPtr& job, const std::string& why);
    void drop(const JobPtr& job);
    // Recovery, in recovery.cpp.
    void resume(Entry entry);
    void adopt(const std::filesystem::path& path);
    void revive(const JobPtr& job, const std::stop_token& stop);

    enum class Wait { AWhile, UntilCommitted };
    /// Commits the job's state; then `next` runs on `workers`, with AWhile also when the catalogue does not answer in
    /// time.
    void commit(const JobPtr& job, State state, StepFunction next, Workers& workers, Wait wait = Wait::AWhile);
    std::chrono::steady_clock::duration patience() const;
    /// Whether the job may finish now; else it is posted again when another of its file system has left.
    bool enter(const JobPtr& job, std::uint64_t device);
    void leave(std::uint64_t device);
    void post(const JobPtr& job, StepFunction step, Workers& workers,
              std::chrono::steady_clock::duration delay = std::chrono::steady_clock::duration::zero());
    /// Tries the step again later. False when it is hopeless after the third time.
    bool retry(const JobPtr& job, const Error& error, StepFunction step, Workers& workers);
    bool reached(std::string_view step, const JobPtr& job);
    void reserve(const JobPtr& job, unsigned first_copy);
    NameParts parts_of(const Recording& facts, bool final) const;
    std::chrono::microseconds delay_after(unsigned failures) const;
    std::vector<std::filesystem::path> homes() const;
    Target& home() { return *targets_.front(); }
    Debt& home_debt(const JobPtr& job);
    JobPtr find(std::int64_t row) const;
    void line_up(const JobPtr& job);
    bool is_idle() const;  // with the lock
    void send(const JobPtr& job, const Debt& debt);
    void rest(const JobPtr& job, const std::string& hook, bool rests);

    /// So long a commit is waited for; then a file is finished and named all the same.
    static constexpr std::chrono::seconds catalog_patience{5};
    /// Files of one file system that are being finished, and those that wait for that.
    struct Crowd {
        std::size_t running = 0;
        std::deque<JobPtr> waiting;
    };

    const Delivery::Parts parts_;
    const Scope settings_;
    Staging staging_;
    std::unique_ptr<Naming> naming_;
    std::vector<std::unique_ptr<Target>> targets_;  ///< never empty

    mutable std::mutex mutex_;
    std::condition_variable idle_;
    std::map<std::int64_t, JobPtr> jobs_;
    std::map<std::string, std::deque<JobPtr>> lanes_;  ///< by media session, in the order of `finish`
    std::size_t closed_ = 0;                           ///< jobs after `finish`
    bool sweeping_ = false;
    std::map<std::uint64_t, Crowd> crowds_;  ///< by file system
    Delivery::Step step_;

    Workers finishing_, clock_, recovery_;
};

}  // namespace tapedeck::host
