#include "store/retention.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "store/catalog.hpp"
#include "store/held_space.hpp"
#include "store/keys.hpp"
#include "store/wall_clock.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr auto sweep_interval = std::chrono::minutes(1);

/// What lies at the place of a recording.
enum class Found { Ours, Another, Nothing };

/// A file of another size, or a link, is not what was recorded. Throws Error when the system does not say.
Found look(const fs::path& path, std::uint64_t bytes) {
    std::error_code failed;
    const fs::file_status status = fs::symlink_status(path, failed);
    if (status.type() == fs::file_type::not_found) return Found::Nothing;
    if (status.type() == fs::file_type::none) throw Error(printable(path.string(), 512) + ": " + failed.message());
    return fs::is_regular_file(status) && fs::file_size(path, failed) == bytes ? Found::Ours : Found::Another;
}

/// What the disk has back when this name is gone: nothing where the file has another one, less than its length where it
/// has holes.
std::uint64_t space_of(const fs::path& path) {
    struct stat file {};
    if (::lstat(path.c_str(), &file) != 0 || file.st_nlink > 1) return 0;
    return std::min(static_cast<std::uint64_t>(file.st_size), static_cast<std::uint64_t>(file.st_blocks) * 512);
}

/// The last part of a setting's name: what /metrics calls it.
std::string_view short_name(std::string_view setting) {
    return setting.substr(setting.rfind('.') + 1);
}

}  // namespace

/// The settings, and what of them is still to be done in this round.
struct Retention::Limits {
    std::int64_t oldest_us = 0;      ///< what ended before goes; 0: no such limit
    std::uint64_t excess_bytes = 0;  ///< of all recordings
    std::uint64_t lack_bytes = 0;    ///< of free space

    /// The setting that a recording is deleted for, or null.
    const char* reason(const Kept& one) const {
        if (one.end_us < oldest_us) return retention_max_age.name;
        if (excess_bytes > 0) return retention_max_bytes.name;
        if (lack_bytes > 0) return retention_min_free_space.name;
        return nullptr;
    }
    /// Rows are times, and nothing ends before it begins.
    bool reaches(std::int64_t row) const { return row < oldest_us || excess_bytes > 0 || lack_bytes > 0; }
    /// `lack`: what the system says after it. Some file systems free later what was deleted, so that the files' own
    /// space counts too; where both were wrong, the next round goes on.
    void gone(const Freed& freed, std::uint64_t lack) {
        excess_bytes -= std::min(excess_bytes, freed.recorded);
        lack_bytes = std::min(lack, lack_bytes - std::min(lack_bytes, freed.space));
    }
};

Retention::Retention(Parts parts) : parts_(std::move(parts)), workers_("retention", 1) {
    parts_.catalog.on_done([this](const Recording& facts) {
        const std::lock_guard lock(mutex_);
        if (loaded_) add(facts);
    });
}

Retention::~Retention() {
    parts_.catalog.on_done({});
    stop(std::chrono::seconds(10));
}

void Retention::start() {
    workers_.post([this](const std::stop_token& stop) {
        round(stop);
        again();
    });
}

void Retention::again() {
    workers_.post(
        [this](const std::stop_token& stop) {
            round(stop);
            again();
        },
        Workers::Clock::now() + sweep_interval);
}

void Retention::wake() {
    workers_.post([this](const std::stop_token& stop) { round(stop); });
}

bool Retention::stop(std::chrono::milliseconds limit) {
    return workers_.stop(limit);
}

void Retention::round(const std::stop_token& stop) {
    const bool is_off = parts_.settings.duration(retention_max_age).count() == 0 &&
                        parts_.settings.bytes(retention_max_bytes) == 0 &&
                        parts_.settings.bytes(retention_min_free_space) == 0;
    if (is_off) return unload();
    if (!load(stop)) return;
    std::int64_t row = 0;
    try {
        require_recordings();
        Limits left = limits();
        for (auto one = next(row); one && left.reaches(one->first) && !stop.stop_requested(); one = next(row)) {
            row = one->first;
            const char* reason = left.reason(one->second);
            if (reason == nullptr) continue;
            try {
                const Freed freed = remove(row, reason, stop);
                left.gone(freed, left.lack_bytes == 0 ? 0 : lack());
            } catch (const Error& error) {  // one file that cannot be deleted does not keep the others
                if (!parts_.catalog.is_reachable()) throw;
                log::warning("retention: {}: {}; tried again in a minute", printable(one->second.name, 512),
                             error.what());
            }
        }
    } catch (const Error& error) {
        log::warning("retention: {}; tried again in a minute", error.what());
    }
}

/// Reads once what earlier processes have left; from then on the catalogue tells what is new.
bool Retention::load(const std::stop_token& stop) {
    {
        const std::lock_guard lock(mutex_);
        if (loaded_) return true;
        loaded_ = true;
        folder_ = parts_.folder();
    }
    for (std::int64_t row = 0; !stop.stop_requested();) {
        const auto page = parts_.catalog.done(row);
        if (!page) break;
        if (page->empty()) return true;
        row = page->back().facts.row;
        const std::lock_guard lock(mutex_);
        for (const Entry& entry : *page) {
            const auto owner = rows_.find(entry.facts.name);
            if (owner == rows_.end() || owner->second < entry.facts.row) add(entry.facts);
        }
    }
    unload();  // not all is known
    return false;
}

void Retention::unload() {
    const std::lock_guard lock(mutex_);
    loaded_ = false;
    kept_.clear();
    rows_.clear();
}

/// With the lock. It has replaced the file of an earlier recording of the same name.
void Retention::add(const Recording& facts) {
    if (!folder_.empty() && facts.path != (folder_ / facts.name).string()) return;  // another folder was set then
    const auto [owner, is_new] = rows_.try_emplace(facts.name, facts.row);
    if (!is_new) kept_.erase(std::exchange(owner->second, facts.row));
    kept_[facts.row] = {
        .name = facts.name, .end_us = facts.end_us == TD_NO_TIME ? facts.row : facts.end_us, .bytes = facts.bytes};
}

void Retention::drop(std::int64_t row) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(row);
    if (found == kept_.end()) return;
    if (const auto owner = rows_.find(found->second.name); owner != rows_.end() && owner->second == row) {
        rows_.erase(owner);
    }
    kept_.erase(found);
}

Retention::Limits Retention::limits() const {
    Limits limits;
    const std::int64_t age = parts_.settings.duration(retention_max_age).count();
    if (age > 0) limits.oldest_us = now_us() - age;
    fs::path folder;
    std::uint64_t all = 0;
    {
        const std::lock_guard lock(mutex_);
        folder = folder_;
        for (const auto& [row, one] : kept_) all += one.bytes;
    }
    const std::uint64_t most = parts_.settings.bytes(retention_max_bytes);
    if (most > 0 && all > most) {
        all = bytes_there(folder);
        limits.excess_bytes = all - std::min(all, most);
    }
    limits.lack_bytes = lack();
    return limits;
}

/// Bytes of free space that are missing now.
std::uint64_t Retention::lack() const {
    const std::uint64_t least = parts_.settings.bytes(retention_min_free_space);
    fs::path folder;
    {
        const std::lock_guard lock(mutex_);
        folder = folder_;
    }
    if (least == 0 || folder.empty()) return 0;
    return least - std::min(least, parts_.free_bytes(folder).value_or(least));
}

/// A folder in which nothing is found that should be there is one whose disk is not mounted. Throws Error.
void Retention::require_recordings() const {
    std::vector<std::string> names;
    fs::path folder;
    {
        const std::lock_guard lock(mutex_);
        folder = folder_;
        for (const auto& [row, one] : kept_) names.push_back(one.name);
    }
    if (folder.empty() || names.size() < 2) return;
    const auto is_there = [&](const std::string& name) {
        std::error_code ignored;  // what cannot be seen is not there
        return fs::exists(folder / name, ignored);
    };
    if (std::ranges::any_of(names | std::views::reverse, is_there)) return;
    throw Error(fmt::format("none of {} recordings is in {}; is its disk mounted?", names.size(), folder.string()));
}

/// Hooks and people take files away; those count no more. Throws Error.
std::uint64_t Retention::bytes_there(const fs::path& folder) const {
    std::vector<Kept> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [row, one] : kept_) all.push_back(one);
    }
    std::uint64_t bytes = 0;
    for (const Kept& one : all) {
        if (folder.empty() || look(folder / one.name, one.bytes) == Found::Ours) bytes += one.bytes;
    }
    return bytes;
}

std::optional<std::pair<std::int64_t, Retention::Kept>> Retention::next(std::int64_t after) const {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.upper_bound(after);
    if (found == kept_.end()) return std::nullopt;
    return *found;
}

bool Retention::is_owner(std::int64_t row) const {
    const std::lock_guard lock(mutex_);
    return kept_.contains(row);
}

/// Nothing is freed where the file was gone or is not ours. Throws Error when it must be tried again.
Retention::Freed Retention::remove(std::int64_t row, const char* reason, const std::stop_token& stop) {
    const auto entry = parts_.catalog.find(row);
    if (!entry) {
        if (!parts_.catalog.is_reachable()) throw Error("the catalogue cannot be reached", TD_FAILED, true);
        drop(row);
        return {};
    }
    const Recording& facts = entry->facts;
    // As long as the name is claimed, no new recording takes it.
    if (entry->state != State::Done || !parts_.catalog.claim(facts.name, row)) return {};
    if (!is_owner(row)) {  // it was replaced in this moment
        parts_.catalog.forget(row);
        return {};
    }
    Freed freed;
    try {
        const bool is_local = !parts_.folder().empty();
        const Found found = is_local ? look(facts.path, facts.bytes) : Found::Ours;
        if (found == Found::Nothing) {
            log::info("retention: {} is not there any more", printable(facts.name, 512));
        } else if (found == Found::Another) {
            log::warning("retention: {} is not the file that was recorded; it stays", printable(facts.path, 512));
        } else {
            freed = {.recorded = facts.bytes, .space = space_of(facts.path)};
            parts_.remove(facts.name, stop);
            log::info("retention: deleted {} of {}, {} bytes: {}", printable(facts.name, 512), printable(facts.stream),
                      facts.bytes, reason);
            metrics::counter("tapedeck_retention_deleted_total", fmt::format("reason=\"{}\"", short_name(reason)),
                             "Recordings deleted since they were too old or took too much room")
                .fetch_add(1, std::memory_order_relaxed);
        }
    } catch (...) {
        parts_.catalog.release(row);
        throw;
    }
    drop(row);
    parts_.catalog.forget(row);
    return freed;
}

std::optional<std::uint64_t> Retention::free_bytes_of(const fs::path& folder, std::uint64_t least) {
    std::error_code failed;
    const fs::space_info space = fs::space(folder, failed);
    if (failed) return std::nullopt;
    if (space.available < least) return space.available;
    return space.available + held_bytes(folder);
}

}  // namespace tapedeck::host
