// The catalogue of recordings and of what is still owed for them: journal, delivery queue and list at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
    explicit Catalog(Scope settings);
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;
    /// Writes out what waits, for at most 5 s.
    ~Catalog();

    /// A new key: unique in this server's life and rising with time. No I/O.
    std::int64_t next_row();
    /// The entry as it is now, debts included; replaces what was there.
    void save(Entry entry, Committed committed = {});
    /// One debt, changed by an attempt.
    void update(std::int64_t row, Debt debt, Committed committed = {});
    /// One debt is paid or given up.
    void settle(std::int64_t row, const Debt& debt, Committed committed = {});
    /// Waits until all that was handed in so far is committed, or the time is over: then false.
    bool wait(std::chrono::milliseconds limit);

    /// Entries of this server that are not done, failed or quarantined, oldest first; waits for the database. Nothing
    /// when it cannot be reached. Throws never.
    std::vector<Entry> unfinished();
    /// The newest entries, at most `limit`, of a media session unless that is empty.
    std::vector<Entry> list(const std::string& media_session, std::size_t limit);
    /// Whether an entry of another row that is not done has this name reserved. In memory.
    bool is_reserved(const std::string& name, std::int64_t except_row) const;
    /// Whether the database answers now, for /health and the log.
    bool is_reachable() const;

private:
    class Worker;
    std::unique_ptr<Worker> worker_;
};

}  // namespace tapedeck::host
