#include "store/catalog.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "base/thread_name.hpp"
#include "store/catalog_tables.hpp"
#include "store/keys.hpp"
#include "store/wall_clock.hpp"

namespace tapedeck::host {
namespace {

/// Many recordings that end together share commits; one alone hardly waits.
constexpr auto commit_pause = std::chrono::milliseconds(25);

/// One thing to write or to read, in the order of the calls.
struct Task {
    std::function<void(CatalogTables&)> run;
    Catalog::Committed committed;
    bool is_read = false;
};

bool is_open(State state) {
    return state != State::Done && state != State::Failed && state != State::Quarantined;
}

/// Which server this is among those that share a database.
std::string server_name(const std::string& connection, const std::filesystem::path& folder) {
    if (connection.empty()) return "here";
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return std::string(host.data()) + ':' + folder.string();
}

}  // namespace

struct Catalog::Shared {
    Shared(std::string connect_to, std::filesystem::path in)
        : connection(std::move(connect_to)), folder(std::move(in)) {}

    void open();
    void write(std::deque<Task>& tasks);
    void failed(const Error& error, bool damaged);
    void drop_claim(std::int64_t row) {
        std::erase_if(claims, [&](const auto& one) { return one.second == row; });
    }

    const std::string connection;
    const std::filesystem::path folder;

    // Only of the writing thread.
    std::unique_ptr<CatalogTables> tables;
    bool anew = false;  // the database was replaced: write all that is known

    mutable std::mutex mutex;
    std::condition_variable wake, changed;
    std::deque<Task> waiting;
    std::map<std::int64_t, Entry> live;                       // of this process and inherited, not done
    std::map<std::string, std::int64_t, std::less<>> claims;  // name -> row
    std::vector<Entry> inherited;
    std::function<void(const Recording&)> done;
    bool is_loaded = false, reachable = true, stopping = false, ended = false;
    std::size_t running = 0;  // tasks that the thread has taken
    std::int64_t last_row = 0;
};

/// Connects and reads once what an earlier process left. Throws Error.
void Catalog::Shared::open() {
    tables = std::make_unique<CatalogTables>(connection, folder, server_name(connection, folder));
    std::map<std::int64_t, Entry> known;
    {
        const std::lock_guard lock(mutex);
        if (is_loaded && anew) known = live;
        if (is_loaded && !anew) return;
    }
    if (known.empty()) {
        auto found = tables->unfinished();
        const std::lock_guard lock(mutex);
        if (!is_loaded) {
            for (Entry& entry : found) {
                last_row = std::max(last_row, entry.facts.row);
                if (!live.try_emplace(entry.facts.row, entry).second) continue;
                if (entry.state != State::Recording) claims.try_emplace(entry.facts.name, entry.facts.row);
                inherited.push_back(std::move(entry));
            }
        }
        is_loaded = true;
        changed.notify_all();
        if (!anew) return;
        known = live;
    }
    tables->begin();
    for (const auto& [row, entry] : known) tables->save(entry);
    tables->commit();
    anew = false;
}

/// All in one commit. Throws Error; then nothing of it is written.
void Catalog::Shared::write(std::deque<Task>& tasks) {
    if (tables == nullptr) open();
    tables->check();
    tables->begin();
    try {
        for (Task& task : tasks) {
            if (!task.is_read) task.run(*tables);
        }
        tables->commit();
    } catch (...) {
        tables->rollback();
        throw;
    }
    for (Task& task : tasks) {  // each once, also when a later one fails and all is tried again
        if (task.is_read && task.run) std::exchange(task.run, nullptr)(*tables);
    }
}

void Catalog::Shared::failed(const Error& error, bool damaged) {
    static auto& failures =
        metrics::counter("tapedeck_catalogue_failures_total", "", "Commits of the catalogue that failed");
    failures.fetch_add(1, std::memory_order_relaxed);
    tables.reset();
    anew = true;  // what comes back need not be the same database
    bool first = false;
    {
        const std::lock_guard lock(mutex);
        first = std::exchange(reachable, false);
    }
    if (damaged && connection.empty()) {
        try {
            const auto aside = CatalogTables::move_aside(folder);
            log::error("{}; it was moved to {} and a new one is begun", error.what(), aside.string());
            return;
        } catch (const std::exception& cause) {
            log::error("{}; it cannot be moved aside: {}", error.what(), cause.what());
        }
    } else if (error.status() == TD_NO_SPACE && connection.empty() && CatalogTables::free_reserve(folder)) {
        log::warning("{}; the room kept for the catalogue is used", error.what());
    } else if (first) {
        log::error("{}; recording goes on, names and hooks wait until the catalogue is back", error.what());
    }
}

Catalog::Catalog(const Scope& settings)
    : shared_(std::make_shared<Shared>(settings.text(catalog_connection), settings.path(state_dir))) {
    std::thread([shared = shared_] { run(shared); }).detach();
}

Catalog::~Catalog() {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->wake.notify_all();
    shared_->changed.notify_all();
    if (!shared_->changed.wait_for(lock, std::chrono::seconds(5), [&] { return shared_->ended; })) {
        log::error("the catalogue hangs and is left behind with {} steps", shared_->waiting.size() + shared_->running);
    }
}

void Catalog::run(const std::shared_ptr<Shared>& shared) {
    name_thread("catalogue");
    std::deque<Task> taken;
    auto pause = std::chrono::milliseconds(0);
    auto next_commit = std::chrono::steady_clock::now();
    std::unique_lock lock(shared->mutex);
    for (;;) {
        const auto has_work = [&] { return shared->stopping || !shared->waiting.empty(); };
        const auto is_urgent = [&] {
            return shared->stopping ||
                   std::ranges::any_of(shared->waiting, [](const Task& task) { return task.is_read; });
        };
        if (pause.count() > 0) {
            shared->wake.wait_for(lock, pause, [&] { return shared->stopping; });
        } else if (taken.empty() && shared->is_loaded) {
            shared->wake.wait(lock, has_work);
            shared->wake.wait_until(lock, next_commit, is_urgent);
        }
        std::ranges::move(shared->waiting, std::back_inserter(taken));
        shared->waiting.clear();
        shared->running = taken.size();
        if (shared->stopping && taken.empty()) break;
        const bool last_try = shared->stopping && pause.count() > 0;
        lock.unlock();
        try {
            shared->write(taken);
            if (pause.count() > 0) log::info("the catalogue is back");
            next_commit = std::chrono::steady_clock::now() + commit_pause;
            pause = std::chrono::milliseconds(0);
        } catch (const DamagedDatabase& error) {
            shared->failed(error, true);
            pause = std::max(pause * 2, std::chrono::milliseconds(1));
        } catch (const std::exception& cause) {
            const auto* known = dynamic_cast<const Error*>(&cause);
            const Error error = known != nullptr ? *known : Error(cause.what(), TD_FAILED, true);
            shared->failed(error, false);
            pause = std::max(pause * 2, std::chrono::milliseconds(error.status() == TD_NO_SPACE ? 10 : 250));
        }
        pause = std::min<std::chrono::milliseconds>(pause, std::chrono::seconds(10));
        if (pause.count() == 0) {
            for (Task& task : taken) {
                if (task.committed) task.committed();
            }
            taken.clear();
        }
        lock.lock();
        if (pause.count() == 0) shared->reachable = true;
        shared->running = taken.size();
        shared->changed.notify_all();
        if (last_try && !taken.empty()) {
            log::error("the catalogue could not be written: {} steps are lost; recovery finds the files", taken.size());
            break;
        }
    }
    shared->tables.reset();
    shared->ended = true;
    shared->changed.notify_all();
}

std::int64_t Catalog::next_row() {
    const std::lock_guard lock(shared_->mutex);
    return shared_->last_row = std::max(now_us(), shared_->last_row + 1);
}

void Catalog::save(Entry entry, Committed committed) {
    const std::lock_guard lock(shared_->mutex);
    if (is_open(entry.state)) {
        shared_->live.insert_or_assign(entry.facts.row, entry);
    } else {
        if (entry.state == State::Done && shared_->done) shared_->done(entry.facts);
        shared_->live.erase(entry.facts.row);
        shared_->drop_claim(entry.facts.row);
    }
    shared_->waiting.push_back(
        {[entry = std::move(entry)](CatalogTables& tables) { tables.save(entry); }, std::move(committed), false});
    shared_->wake.notify_all();
}

void Catalog::update(std::int64_t row, Debt debt, Committed committed) {
    const std::lock_guard lock(shared_->mutex);
    if (const auto found = shared_->live.find(row); found != shared_->live.end()) {
        std::erase_if(found->second.debts,
                      [&](const Debt& one) { return one.target == debt.target && one.event == debt.event; });
        found->second.debts.push_back(debt);
    }
    shared_->waiting.push_back({[row, debt = std::move(debt)](CatalogTables& tables) { tables.save(row, debt); },
                                std::move(committed), false});
    shared_->wake.notify_all();
}

void Catalog::settle(std::int64_t row, const Debt& debt, Committed committed) {
    const std::lock_guard lock(shared_->mutex);
    if (const auto found = shared_->live.find(row); found != shared_->live.end()) {
        std::erase_if(found->second.debts,
                      [&](const Debt& one) { return one.target == debt.target && one.event == debt.event; });
    }
    shared_->waiting.push_back(
        {[row, debt](CatalogTables& tables) { tables.remove(row, debt); }, std::move(committed), false});
    shared_->wake.notify_all();
}

bool Catalog::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, limit, [&] { return shared_->waiting.empty() && shared_->running == 0; });
}

std::vector<Entry> Catalog::unfinished(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] {
        const std::lock_guard lock(shared_->mutex);
        shared_->changed.notify_all();
    });
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->is_loaded || shared_->ended || stop.stop_requested(); });
    return std::exchange(shared_->inherited, {});
}

namespace {

/// What a read on the writing thread gives, or nothing after a while.
template <class Result>
Result answer_of(std::future<Result> future) {
    if (future.wait_for(std::chrono::seconds(5)) != std::future_status::ready) return {};
    try {
        return future.get();
    } catch (const std::exception& error) {
        log::warning("{}", error.what());
        return {};
    }
}

}  // namespace

std::vector<Entry> Catalog::list(const std::string& media_session, std::size_t limit) {
    const auto promise = std::make_shared<std::promise<std::vector<Entry>>>();
    auto future = promise->get_future();
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->waiting.push_back(
            {[=](CatalogTables& tables) { promise->set_value(tables.list(media_session, limit)); }, {}, true});
        shared_->wake.notify_all();
    }
    return answer_of(std::move(future));
}

std::optional<Entry> Catalog::find(std::int64_t row) {
    const auto promise = std::make_shared<std::promise<std::optional<Entry>>>();
    auto future = promise->get_future();
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->waiting.push_back({[=](CatalogTables& tables) { promise->set_value(tables.find(row)); }, {}, true});
        shared_->wake.notify_all();
    }
    return answer_of(std::move(future));
}

std::optional<std::vector<Entry>> Catalog::done(std::int64_t after) {
    const auto promise = std::make_shared<std::promise<std::optional<std::vector<Entry>>>>();
    auto future = promise->get_future();
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->waiting.push_back({[=](CatalogTables& tables) { promise->set_value(tables.done(after)); }, {}, true});
        shared_->wake.notify_all();
    }
    return answer_of(std::move(future));
}

void Catalog::on_done(std::function<void(const Recording&)> listener) {
    const std::lock_guard lock(shared_->mutex);
    shared_->done = std::move(listener);
}

bool Catalog::claim(const std::string& name, std::int64_t row) {
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->claims.find(name);
    if (found != shared_->claims.end()) return found->second == row;
    shared_->drop_claim(row);
    shared_->claims.emplace(name, row);
    return true;
}

bool Catalog::is_claimed(const std::string& name) const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->claims.contains(name);
}

void Catalog::release(std::int64_t row) {
    const std::lock_guard lock(shared_->mutex);
    shared_->drop_claim(row);
}

void Catalog::forget(std::int64_t row) {
    const std::lock_guard lock(shared_->mutex);
    shared_->live.erase(row);
    shared_->drop_claim(row);
    shared_->waiting.push_back({[row](CatalogTables& tables) { tables.remove(row); }, {}, false});
    shared_->wake.notify_all();
}

bool Catalog::wait_loaded(std::chrono::milliseconds limit) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, limit, [&] { return shared_->is_loaded || !shared_->reachable; });
    return shared_->is_loaded;
}

bool Catalog::is_reachable() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->reachable;
}

}  // namespace tapedeck::host
