#include "store/catalog_tables.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "store/file.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "catalogue.db";
constexpr const char* reserve_name = "catalogue.reserve";
constexpr std::array states{std::pair{State::Recording, "recording"},
                            std::pair{State::Named, "named"},
                            std::pair{State::Finished, "finished"},
                            std::pair{State::Stored, "stored"},
                            std::pair{State::Done, "done"},
                            std::pair{State::Failed, "failed"},
                            std::pair{State::Quarantined, "quarantined"}};

/// Blocks of the disk that are the catalogue's when nothing else is left. Made only where there is plenty.
void keep_reserve(const fs::path& folder) {
    constexpr off_t bytes = 2 << 20;
    std::error_code failed;
    const fs::path path = folder / reserve_name;
    if (fs::exists(path, failed) || fs::space(folder, failed).available < 16 * static_cast<std::uintmax_t>(bytes))
        return;
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (file.number < 0 || ::fallocate(file.number, 0, 0, bytes) != 0) fs::remove(path, failed);
}

State state_of(const std::string& text) {
    for (const auto& [state, name] : states) {
        if (text == name) return state;
    }
    throw Error(fmt::format("catalogue: unknown state '{}'", text), TD_MALFORMED);
}

/// What people and queries see of a text: without bytes that a database refuses. The exact one is in the facts.
std::string column(const std::string& text) {
    std::string out;
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || static_cast<signed char>(c) < 0 ? '?' : c;
    return out;
}

/// Runs SQL and turns what SOCI throws into our errors.
template <class Run>
auto explained(const char* what, Run run) {
    try {
        return run();
    } catch (const soci::sqlite3_soci_error& error) {
        constexpr int corrupt = 11, full = 13, not_a_database = 26;  // SQLITE_CORRUPT, SQLITE_FULL, SQLITE_NOTADB
        const int code = error.result() & 0xff;
        const std::string text = fmt::format("catalogue: {}: {}", what, error.what());
        if (code == corrupt || code == not_a_database) throw DamagedDatabase(text);
        if (code == full) throw Error(text, TD_NO_SPACE, true);
        throw Error(text, TD_FAILED, true);
    } catch (const soci::soci_error& error) {
        throw Error(fmt::format("catalogue: {}: {}", what, error.what()), TD_FAILED, true);
    }
}

}  // namespace

const char* text_of(State state) {
    for (const auto& [one, name] : states) {
        if (one == state) return name;
    }
    return "?";
}

/// What each step of a recording writes, compiled once. The fields are what the next execution reads.
struct CatalogTables::Statements {
    Statements(soci::session& sql, std::string& server)
        : save((sql.prepare
                    << "INSERT INTO recordings (row_id, server, state, media_session, stream, name, path, uri, facts,"
                       " changed_us)"
                       " VALUES (:row, :server, :state, :session, :stream, :name, :path, :uri, :facts, :changed)"
                       " ON CONFLICT (row_id) DO UPDATE SET state = excluded.state,"
                       " media_session = excluded.media_session, stream = excluded.stream, name = excluded.name,"
                       " path = excluded.path, uri = excluded.uri, facts = excluded.facts,"
                       " changed_us = excluded.changed_us",
                soci::use(row), soci::use(server), soci::use(state), soci::use(session), soci::use(stream),
                soci::use(name), soci::use(path), soci::use(uri), soci::use(facts), soci::use(changed))),
          remove_debts((sql.prepare << "DELETE FROM debts WHERE row_id = :row", soci::use(row))),
          save_debt((sql.prepare << "INSERT INTO debts (row_id, target, event, attempts, next_try_us, detail)"
                                    " VALUES (:row, :target, :event, :attempts, :next_try, :detail)"
                                    " ON CONFLICT (row_id, target, event) DO UPDATE SET attempts = excluded.attempts,"
                                    " next_try_us = excluded.next_try_us, detail = excluded.detail",
                     soci::use(row), soci::use(target), soci::use(event), soci::use(attempts), soci::use(next_try),
                     soci::use(detail))),
          remove_debt((sql.prepare << "DELETE FROM debts WHERE row_id = :row AND target = :target AND event = :event",
                       soci::use(row), soci::use(target), soci::use(event))) {}

    long long row = 0, changed = 0, next_try = 0;
    int event = 0, attempts = 0;
    std::string state, session, stream, name, path, uri, facts, target, detail;
    soci::statement save, remove_debts, save_debt, remove_debt;
};

CatalogTables::CatalogTables(const std::string& connection, const fs::path& folder, std::string server)
    : server_(std::move(server)) {
    explained("open", [&] {
        if (connection.empty()) {
            std::error_code ignored;  // SQLite says what is wrong
            fs::create_directories(folder, ignored);
            file_ = folder / file_name;
            const std::string path = file_.string();
            keep_reserve(folder);
            sql_ = std::make_unique<soci::session>(*soci::factory_sqlite3(), "db=\"" + path + "\" timeout=5");
            std::string answer;
            // A step changes a few hundred bytes; whole pages go to the journal, so they are small.
            *sql_ << "PRAGMA page_size = 1024";
            *sql_ << "PRAGMA journal_mode = WAL", soci::into(answer);
            *sql_ << "PRAGMA synchronous = FULL";
            *sql_ << "PRAGMA quick_check(1)", soci::into(answer);
            if (answer != "ok") throw DamagedDatabase("catalogue: " + path + " is damaged: " + answer);
        } else {
            sql_ = std::make_unique<soci::session>(connection);
        }
        *sql_ << "CREATE TABLE IF NOT EXISTS recordings (row_id BIGINT PRIMARY KEY, server TEXT NOT NULL,"
                 " state TEXT NOT NULL, media_session TEXT NOT NULL, stream TEXT NOT NULL, name TEXT NOT NULL,"
                 " path TEXT NOT NULL, uri TEXT NOT NULL, facts TEXT NOT NULL, changed_us BIGINT NOT NULL)";
        *sql_ << "CREATE INDEX IF NOT EXISTS recordings_by_state ON recordings (server, state)";
        *sql_ << "CREATE INDEX IF NOT EXISTS recordings_by_session ON recordings (media_session)";
        *sql_
            << "CREATE TABLE IF NOT EXISTS debts (row_id BIGINT NOT NULL, target TEXT NOT NULL, event INTEGER NOT NULL,"
               " attempts INTEGER NOT NULL, next_try_us BIGINT NOT NULL, detail TEXT NOT NULL,"
               " PRIMARY KEY (row_id, target, event))";
        steps_ = std::make_unique<Statements>(*sql_, server_);
    });
}

CatalogTables::~CatalogTables() = default;

void CatalogTables::begin() {
    explained("begin", [&] { sql_->begin(); });
}

void CatalogTables::commit() {
    explained("commit", [&] { sql_->commit(); });
}

void CatalogTables::rollback() noexcept {
    try {
        sql_->rollback();
    } catch (const std::exception& error) {
        log::debug("catalogue: rollback: {}", error.what());
    }
}

void CatalogTables::save(const Entry& entry) {
    explained("save", [&] {
        const Recording& facts = entry.facts;
        steps_->row = facts.row;
        steps_->changed =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        steps_->state = text_of(entry.state);
        steps_->session = column(facts.media_session);
        steps_->stream = column(facts.stream);
        steps_->name = column(facts.name);
        steps_->path = column(facts.path);
        steps_->uri = column(facts.uri);
        steps_->facts = facts.to_json();
        steps_->save.execute(true);
        steps_->remove_debts.execute(true);
        for (const Debt& debt : entry.debts) save(facts.row, debt);
    });
}

void CatalogTables::save(std::int64_t row, const Debt& debt) {
    explained("save", [&] {
        steps_->row = row;
        steps_->target = debt.target;
        steps_->event = debt.event;
        steps_->attempts = static_cast<int>(debt.attempts);
        steps_->next_try = debt.next_try_us;
        steps_->detail = column(debt.detail);
        steps_->save_debt.execute(true);
    });
}

void CatalogTables::remove(std::int64_t row, const Debt& debt) {
    explained("save", [&] {
        steps_->row = row;
        steps_->target = debt.target;
        steps_->event = debt.event;
        steps_->remove_debt.execute(true);
    });
}

void CatalogTables::remove(std::int64_t row_id) {
    explained("save", [&] {
        long long row = row_id;
        *sql_ << "DELETE FROM debts WHERE row_id = :row", soci::use(row);
        *sql_ << "DELETE FROM recordings WHERE row_id = :row", soci::use(row);
    });
}

void CatalogTables::check() const {
    std::error_code ignored;
    if (file_.empty() || fs::exists(file_, ignored)) return;
    throw Error("catalogue: " + file_.string() + " was deleted", TD_FAILED, true);
}

std::vector<Entry> CatalogTables::select(const std::string& where, const std::string& text, std::int64_t number) {
    return explained("read", [&] {
        std::vector<Entry> entries;
        long long limit = number, row = 0;
        std::string state, facts;
        soci::statement recordings =
            (sql_->prepare << "SELECT row_id, state, facts FROM recordings WHERE " + where, soci::use(text, "text"),
             soci::use(limit, "number"), soci::into(row), soci::into(state), soci::into(facts));
        for (bool more = recordings.execute(true); more; more = recordings.fetch()) {
            try {
                Entry entry{.state = state_of(state), .facts = Recording::from_json(facts), .debts = {}};
                entry.facts.row = row;
                entries.push_back(std::move(entry));
            } catch (const Error& error) {
                log::error("catalogue: row {}: {}; left out", row, error.what());
            }
        }
        for (Entry& entry : entries) {
            Debt debt;
            long long next_try = 0;
            int event = 0, attempts = 0;
            row = entry.facts.row;
            soci::statement debts =
                (sql_->prepare << "SELECT target, event, attempts, next_try_us, detail FROM debts WHERE row_id = :row"
                                  " ORDER BY event, target",
                 soci::use(row), soci::into(debt.target), soci::into(event), soci::into(attempts), soci::into(next_try),
                 soci::into(debt.detail));
            for (bool more = debts.execute(true); more; more = debts.fetch()) {
                debt.event = event;
                debt.attempts = static_cast<std::uint32_t>(attempts);
                debt.next_try_us = next_try;
                entry.debts.push_back(debt);
            }
        }
        return entries;
    });
}

std::vector<Entry> CatalogTables::unfinished() {
    return select(
        "server = :text AND state NOT IN ('done', 'failed', 'quarantined') AND row_id > :number ORDER BY row_id",
        server_, 0);
}

std::vector<Entry> CatalogTables::done(std::int64_t after) {
    return select("server = :text AND state = 'done' AND row_id > :number ORDER BY row_id LIMIT 256", server_, after);
}

std::vector<Entry> CatalogTables::list(const std::string& media_session, std::size_t limit) {
    const char* where = media_session.empty() ? "'' = :text ORDER BY row_id DESC LIMIT :number"
                                              : "media_session = :text ORDER BY row_id DESC LIMIT :number";
    return select(where, column(media_session), static_cast<std::int64_t>(limit));
}

std::optional<Entry> CatalogTables::find(std::int64_t row) {
    auto found = select("'' = :text AND row_id = :number", "", row);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

bool CatalogTables::free_reserve(const fs::path& folder) {
    std::error_code failed;
    return fs::remove(folder / reserve_name, failed);
}

fs::path CatalogTables::move_aside(const fs::path& folder) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    fs::path aside;
    for (int n = 0; n == 0 || fs::exists(aside); ++n) {
        aside = folder / fmt::format("{}.damaged-{}{}", file_name, now.count(), n == 0 ? "" : fmt::format("-{}", n));
    }
    fs::rename(folder / file_name, aside);
    for (const char* part : {"-wal", "-shm"}) {
        std::error_code ignored;  // there need not be one
        fs::rename(folder / (std::string(file_name) + part), aside.string() + part, ignored);
    }
    return aside;
}

}  // namespace tapedeck::host
