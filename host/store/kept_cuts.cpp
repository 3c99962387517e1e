#include "store/kept_cuts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include "base/at_once.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "store/cutter_keys.hpp"
#include "store/disk.hpp"
#include "store/keys.hpp"
#include "store/wall_clock.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_prefix = ".tapedeck-cut-";
constexpr std::string_view list_name = "cuts";

}  // namespace

KeptCuts::KeptCuts(Scope settings, Disk& disk)
    : settings_(std::move(settings)),
      disk_(disk),
      folder_(settings_.path(mp4_cutter_dir)),
      list_(settings_.path(state_dir) / list_name) {}

std::optional<fs::path> KeptCuts::find(const std::string& asked, const FileVersion& source) {
    KnownCut cut;
    {
        const std::lock_guard lock(mutex_);
        const KnownCut* known = list_.find(asked);
        if (known == nullptr || known->source != source) return {};
        cut = *known;
    }
    fs::path file = folder_ / cut.file;
    if (version_of(file) != cut.part) return {};
    const std::lock_guard lock(mutex_);
    list_.touch(asked, now_us());
    return file;
}

std::optional<api::RecordCuts::Kept> KeptCuts::find_at_once(const std::string& asked, const FileVersion& source) {
    const std::unique_lock lock(mutex_, std::try_to_lock);  // who has it may be writing the list
    if (!lock.owns_lock()) return {};
    const KnownCut* known = list_.find(asked);
    if (known == nullptr || known->source != source) return {};
    fs::path path = folder_ / known->file;
    const int descriptor = open_at_once(path);
    if (descriptor < 0) return {};
    auto file = std::make_shared<const api::OpenFile>(descriptor, true);
    if (version_of(descriptor) != known->part) return {};
    list_.touch(asked, now_us());
    return api::RecordCuts::Kept{std::move(path), std::move(file)};
}

bool KeptCuts::has(const fs::path& file) const {
    const auto version = version_of(file);
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(list_.all(), [&](const auto& one) {
        const KnownCut& cut = one.second;
        return version == cut.part && folder_ / cut.file == file;
    });
}

fs::path KeptCuts::make(const Order& order, const Write& write) {
    const struct InWork {
        InWork(std::atomic<std::uint64_t>& sum, std::uint64_t bytes) : sum_(sum), bytes_(bytes) { sum_ += bytes_; }
        ~InWork() { sum_ -= bytes_; }
        std::atomic<std::uint64_t>& sum_;
        const std::uint64_t bytes_;
    } in_work(in_work_, order.bytes);
    require_space();
    const fs::path temporary = folder_ / fmt::format("{}{}-{}", temporary_prefix, ::getpid(), ++made_);
    KnownCut cut{};
    try {
        {
            File part(temporary, File::Mode::Create);
            cut.source = write(part);
        }
        cut.part = version_of(temporary).value_or(FileVersion{});
        cut.used_us = now_us();
        return place(temporary, order, cut);
    } catch (...) {
        std::error_code ignored;  // the next start deletes it too
        fs::remove(temporary, ignored);
        throw;
    }
}

/// Parts must leave recordings the space that they need, and retention nothing to do.
void KeptCuts::require_space() const {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    disk_.require(folder_);
    const fs::space_info space = fs::space(folder_, failure);
    const std::uint64_t least =
        std::max(2 * settings_.bytes(file_recorder_min_space), settings_.bytes(retention_min_free_space));
    if (failure || space.available >= least + in_work_) return;
    throw Error(fmt::format("Not enough available disk space for parts in {}", folder_.string()), TD_NO_SPACE, true);
}

/// The list knows a part before it has its name: after a kill in between it names a file that is not there.
fs::path KeptCuts::place(const fs::path& temporary, const Order& order, KnownCut cut) {
    remove(order.asked);
    const std::string& name = order.name;
    const auto dot = name.rfind('.');
    for (unsigned copy = 1; copy < 100; ++copy) {
        cut.file = copy == 1 ? name : fmt::format("{}-{}{}", name.substr(0, dot), copy, name.substr(dot));
        fs::path final = folder_ / cut.file;
        std::error_code ignored;  // the rename says what is wrong
        fs::create_directories(final.parent_path(), ignored);
        if (fs::exists(fs::symlink_status(final, ignored))) continue;
        {
            const std::lock_guard lock(mutex_);
            list_.add(order.asked, cut);
        }
        if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final.c_str(), RENAME_NOREPLACE) == 0) return final;
        if (errno == EINVAL && ::rename(temporary.c_str(), final.c_str()) == 0) return final;  // FUSE, NFS
        const int failure = errno;
        {
            const std::lock_guard lock(mutex_);
            list_.remove(order.asked);
        }
        if (failure != EEXIST) throw_errno("rename to " + final.string(), failure);
    }
    throw Error(fmt::format("part {}: other files have all its names", printable(name)), TD_EXISTS);
}

/// Deletes the part, unless somebody put another file in its place.
void KeptCuts::remove(const std::string& asked) {
    KnownCut cut;
    {
        const std::lock_guard lock(mutex_);
        const KnownCut* known = list_.find(asked);
        if (known == nullptr) return;
        cut = *known;
        list_.remove(asked);
    }
    const fs::path file = folder_ / cut.file;
    std::error_code ignored;  // gone already, or a leftover
    if (version_of(file) == cut.part) fs::remove(file, ignored);
}

void KeptCuts::clean() {
    const auto most_age = settings_.duration(cutter_max_age);
    const auto most_bytes = settings_.bytes(cutter_max_size);
    if (most_age.count() == 0 && most_bytes == 0) return;
    std::vector<std::string> removed;
    {
        const std::lock_guard lock(mutex_);
        std::vector<std::pair<std::int64_t, const std::string*>> by_use;
        for (const auto& [asked, cut] : list_.all()) by_use.emplace_back(cut.used_us, &asked);
        if (by_use.empty()) return;
        std::ranges::sort(by_use);
        by_use.pop_back();
        std::uint64_t bytes = list_.bytes();
        const std::int64_t oldest = now_us() - most_age.count();
        for (const auto& [used, asked] : by_use) {
            const bool too_old = most_age.count() != 0 && used < oldest;
            const bool too_much = most_bytes != 0 && bytes > most_bytes;
            if (!too_old && !too_much) break;
            bytes -= list_.find(*asked)->part.size;
            removed.push_back(*asked);
        }
    }
    for (const std::string& asked : removed) remove(asked);
    if (!removed.empty())
        log::info("deleted {} parts of recordings, by cutter.max_age and cutter.max_size", removed.size());
}

void KeptCuts::remove_leftovers() const {
    std::error_code failed;
    std::vector<fs::path> found;
    for (fs::directory_iterator at(folder_, failed), end; !failed && at != end; at.increment(failed))
        if (at->path().filename().string().starts_with(temporary_prefix)) found.push_back(at->path());
    for (const fs::path& path : found) {
        try {
            const File locked(path, File::Mode::Open);  // fails where another server is making it
            fs::remove(path, failed);
        } catch (const Error& error) {
            log::debug("{}", error.what());
        }
    }
}

void KeptCuts::save() const {
    const std::lock_guard lock(mutex_);
    if (!list_.all().empty()) list_.save();
}

}  // namespace tapedeck::host
