// The catalogue of recordings and of what is still owed for them: journal, delivery queue and list at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

/// How far a file has come. Each state is committed before the next step begins.
enum class State { Recording, Named, Finished, Stored, Done, Failed, Quarantined };
const char* text_of(State state);

/// A storage or a hook that has not taken the file yet.
struct Debt {
    std::string target;          ///< `storage.s3`, `hook.script`
    std::int32_t event = 0;      ///< TD_RECORD_* of a hook; 0 of a storage
    std::uint32_t attempts = 0;  ///< so far
    std::int64_t next_try_us = 0;
    std::string detail;  ///< why, for TD_RECORD_FAILED
};

/// One file.
struct Entry {
    State state = State::Recording;
    Recording facts;  ///< `facts.row` is its key; `facts.name` the reserved key, `facts.path` where the file is
    std::vector<Debt> debts;
};

/// All writing is done by one thread, many steps in one commit. Calls return at once; `committed` comes on that thread
/// after the commit. While the database cannot be reached, steps wait in memory and it is tried again; a damaged
/// embedded database is moved aside and begun anew with what is known. Thread-safe.
class Catalog {
public:
    using Committed = std::function<void()>;

    /// Setting `catalog`: a SOCI connection string; empty: SQLite in `state_dir`. Opens in the background.
    explicit Catalog(const Scope& settings);
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;
    /// Writes out what waits, for at most 5 s.
    ~Catalog();

    /// A new key: unique in this server's life and rising with time. No I/O.
    std::int64_t next_row();
    /// The entry as it is now, debts included; replaces what was there.
    void save(Entry entry, Committed committed = {});
    /// One debt, new or changed by an attempt.
    void update(std::int64_t row, Debt debt, Committed committed = {});
    /// One debt is paid or given up.
    void settle(std::int64_t row, const Debt& debt, Committed committed = {});
    /// Waits until all that was handed in so far is committed, or the time is over: then false.
    bool wait(std::chrono::milliseconds limit);

    /// What an earlier process left behind that is not done, failed or quarantined, oldest first, once. Waits until the
    /// database could be read or `stop` is requested, which gives nothing.
    std::vector<Entry> unfinished(const std::stop_token& stop);
    /// What is done of this server, some at a time by rising row, from behind `after` on: empty at the end, nothing
    /// when the database does not answer.
    std::optional<std::vector<Entry>> done(std::int64_t after);
    /// Tells of each file that comes to be done, before its name is free again, from inside `save`: return at once and
    /// do not call back. One listener.
    void on_done(std::function<void(const Recording&)> listener);
    /// The entry of a row, whatever its state; waits for the database. Nothing when there is none or it cannot be
    /// reached.
    std::optional<Entry> find(std::int64_t row);
    /// The newest entries, at most `limit`, of a media session unless that is empty.
    std::vector<Entry> list(const std::string& media_session, std::size_t limit);
    /// Reserves a name for a row, instead of the one that it had. False when another row that is not done has it. In
    /// memory; `save` makes it last. Ends with the row's last state.
    bool claim(const std::string& name, std::int64_t row);
    bool is_claimed(const std::string& name) const;
    /// Gives back the name that a row has, when it is kept all the same.
    void release(std::int64_t row);
    /// Nothing is kept of a recording without content.
    void forget(std::int64_t row);
    /// Waits until the names of an earlier process are known, or the time is over: then false. At once when the
    /// database cannot be reached.
    bool wait_loaded(std::chrono::milliseconds limit);
    /// Whether the last step reached the database, for /health and for who would wait for a commit.
    bool is_reachable() const;

private:
    struct Shared;
    static void run(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;
};

}  // namespace tapedeck::host
