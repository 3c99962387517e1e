// The catalogue's tables in SQL, over one connection of SOCI. Plain SQL that SQLite and PostgreSQL both read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/catalog.hpp"

namespace soci {
class session;
}

namespace tapedeck::host {

/// The database cannot be used as it is, but another one in its place could.
class DamagedDatabase : public Error {
public:
    explicit DamagedDatabase(const std::string& text) : Error(text) {}
};

/// One thread. Every member throws Error, or DamagedDatabase of an embedded one.
class CatalogTables {
public:
    /// An empty connection string means the SQLite file `catalogue.db` in `folder`, which is made when it is missing.
    /// Makes the tables. `server` tells apart the servers that share one database.
    CatalogTables(const std::string& connection, const std::filesystem::path& folder, std::string server);
    CatalogTables(const CatalogTables&) = delete;
    CatalogTables& operator=(const CatalogTables&) = delete;
    ~CatalogTables();

    /// Everything between is one commit; without `commit` nothing has happened.
    void begin();
    void commit();
    void rollback() noexcept;

    void save(const Entry& entry);
    void save(std::int64_t row, const Debt& debt);
    void remove(std::int64_t row, const Debt& debt);
    void remove(std::int64_t row);
    /// Throws Error when the embedded database's file was deleted under the connection.
    void check() const;

    std::vector<Entry> unfinished();
    /// At most 256, by rising row.
    std::vector<Entry> done(std::int64_t after);
    std::vector<Entry> list(const std::string& media_session, std::size_t limit);
    std::optional<Entry> find(std::int64_t row);

    /// When the disk is full: gives back the room that was kept for this, so that the catalogue can say what becomes of
    /// the recordings. False when there was none.
    static bool free_reserve(const std::filesystem::path& folder);
    /// Moves the embedded database aside, so that the next one begins anew; gives the new name of the old one.
    static std::filesystem::path move_aside(const std::filesystem::path& folder);

private:
    std::vector<Entry> select(const std::string& where, const std::string& text, std::int64_t number);

    std::string server_;
    std::filesystem::path file_;  ///< of an embedded one
    std::unique_ptr<soci::session> sql_;
    struct Statements;
    std::unique_ptr<Statements> steps_;  ///< after `sql_`, so that they end first
};

}  // namespace tapedeck::host
