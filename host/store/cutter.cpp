#include "store/cutter.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "base/thread_name.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/reader.hpp"
#include "store/cutter_keys.hpp"
#include "store/disk.hpp"
#include "store/file.hpp"
#include "store/keys.hpp"
#include "store/naming.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_waiting = 1000;
constexpr auto longest = std::chrono::minutes(10);  // of one part
constexpr auto idle = std::chrono::seconds(30);     // then a reader is closed
constexpr std::string_view temporary_prefix = ".tapedeck-cut-";
constexpr std::string_view list_name = "cuts";

std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

/// `11`, `11.5`
std::string seconds(std::int64_t us) {
    std::string text = fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

void count(std::string_view result) {
    metrics::counter("tapedeck_cuts_total", fmt::format("result=\"{}\"", result), "Parts of recordings asked for") += 1;
}

void tell(const std::vector<api::RecordCuts::Done>& waiting, const fs::path* part, const Error* failure) {
    for (const auto& done : waiting) done(part, failure);
}

}  // namespace

std::string Cutter::part_name(std::string_view name, const Times& times) {
    const auto slash = name.rfind('/') + 1;  // 0 without a folder
    const auto last_dot = name.rfind('.');
    const auto dot = last_dot == std::string_view::npos || last_dot < slash ? name.size() : last_dot;
    std::string tail;
    if (times.from_us) tail += "-s" + seconds(*times.from_us);
    if (times.to_us) tail += "-e" + seconds(*times.to_us);
    tail += name.substr(dot);
    constexpr std::size_t suffix = 3;  // room for `-99`
    const auto stem =
        cut_utf8(name.substr(slash, dot - slash), most_name_bytes - std::min(most_name_bytes, tail.size() + suffix));
    return std::string(name.substr(0, slash)) + std::string(stem) + tail;
}

Cutter::Cutter(Parts parts)
    : parts_(std::move(parts)),
      folder_(parts_.settings.path(mp4_cutter_dir)),
      list_(parts_.settings.path(state_dir) / list_name) {
    const auto threads = static_cast<std::size_t>(parts_.settings.integer(cutter_threads));
    for (std::size_t i = 0; i < threads; ++i)
        threads_.emplace_back([this](const std::stop_token& stop) {
            std::call_once(swept_, [this] { remove_leftovers(); });  // before any thread makes a file of that kind
            run(stop);
        });
}

void Cutter::stop() {
    std::map<std::string, std::shared_ptr<Job>> jobs;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& thread : threads_) thread.request_stop();
        for (const std::string& key : queue_) jobs.insert(jobs_.extract(key));
        queue_.clear();
    }
    wake_.notify_all();
    const Error stopping("the server is stopping", TD_CANCELLED);
    for (const auto& [name, job] : jobs) tell(job->waiting, nullptr, &stopping);
    threads_.clear();
    try {
        const std::lock_guard lock(mutex_);
        if (!list_.all().empty()) list_.save();
    } catch (const std::exception& failure) {
        log::warning("{}; the next start knows of parts what it knew before", failure.what());
    }
}

const Extension* Cutter::reader_of(std::string_view name) const {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    const std::string_view ending = name.substr(dot + 1);
    const auto letter = [](unsigned char c) { return std::tolower(c); };
    for (const Extension* extension : parts_.extensions("reader")) {
        const std::string known = Reader::file_extension(*extension);
        if (Reader::cuts(*extension) && std::ranges::equal(known, ending, {}, letter, letter)) return extension;
    }
    return nullptr;
}

bool Cutter::can_cut(std::string_view name) const {
    return reader_of(name) != nullptr;
}

void Cutter::cut(const fs::path& source, const std::string& name, const Times& times, Done done) {
    const auto fail = [&](const char* text, td_status status) {
        const Error error(text, status, true);
        done(nullptr, &error);
    };
    const auto version = version_of(source);
    const Extension* reader = reader_of(name);
    if (!version || reader == nullptr) return fail("no such recording", TD_NOT_FOUND);
    const std::string wanted = part_name(name, times);
    if (const auto part = kept(wanted, *version)) {
        count("kept");
        return done(&*part, nullptr);
    }
    if (is_part(source, name)) return fail("it is a part itself; take one of its recording", TD_MALFORMED);
    {
        const std::lock_guard lock(mutex_);
        const std::string key = fmt::format("{}\t{}\t{}", wanted, version->size, version->modified_ns);
        if (const auto running = jobs_.find(key); running != jobs_.end()) {
            running->second->waiting.push_back(std::move(done));
            return;
        }
        if (!stopping_ && queue_.size() < most_waiting) {
            jobs_.emplace(key, std::make_shared<Job>(Job{wanted, source, *version, times, reader, {std::move(done)}}));
            queue_.push_back(key);
            wake_.notify_one();
            return;
        }
    }
    fail("too many parts wait to be made; try again", TD_CANCELLED);
}

bool Cutter::is_part(const fs::path& file, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const KnownCut* own = list_.find(name);
    return own != nullptr && folder_ / own->file == file;
}

/// A part of this version of the recording that lies there still.
std::optional<fs::path> Cutter::kept(const std::string& name, const FileVersion& version) {
    KnownCut cut;
    {
        const std::lock_guard lock(mutex_);
        const KnownCut* known = list_.find(name);
        if (known == nullptr || known->source != version) return {};
        cut = *known;
    }
    fs::path file = folder_ / cut.file;
    if (version_of(file) != cut.part) return {};
    const std::lock_guard lock(mutex_);
    list_.touch(name, now_us());
    return file;
}

void Cutter::run(const std::stop_token& stop) {
    name_thread("cutter");
    clean();
    while (!stop.stop_requested()) {
        std::string key;
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, idle, [&] { return !queue_.empty(); });
            if (stop.stop_requested()) return;
            if (!queue_.empty()) {
                key = std::move(queue_.front());
                queue_.pop_front();
                job = jobs_.at(key);
            }
        }
        readers_.close_idle(idle);
        if (!job) {
            clean();
            continue;
        }
        fs::path part;
        std::optional<Error> failure;
        try {
            part = make(*job, stop);
        } catch (const Error& error) {
            failure = error;
        } catch (const std::exception& error) {
            failure = Error(error.what());
        }
        if (failure) count("failed");
        {
            const std::lock_guard lock(mutex_);
            jobs_.erase(key);
        }
        tell(job->waiting, failure ? nullptr : &part, failure ? &*failure : nullptr);
        clean();
    }
}

fs::path Cutter::make(const Job& job, const std::stop_token& stop) {
    if (auto part = kept(job.name, job.version)) {  // made while this one waited
        count("kept");
        return *part;
    }
    require_space(job.version.size);
    fs::path temporary;
    {
        const std::lock_guard lock(mutex_);
        temporary = folder_ / fmt::format("{}{}-{}", temporary_prefix, ::getpid(), ++made_);
    }
    KnownCut cut{};
    try {
        write(temporary, job, cut.source, stop);
        cut.part = version_of(temporary).value_or(FileVersion{});
        cut.used_us = now_us();
        fs::path part = place(temporary, job.name, cut);
        count("made");
        return part;
    } catch (...) {
        std::error_code ignored;  // the next start deletes it too
        fs::remove(temporary, ignored);
        throw;
    }
}

/// A part is never larger than its recording; it must leave recordings the space that they need.
void Cutter::require_space(std::uint64_t bytes) {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    parts_.disk.require(folder_);
    const fs::space_info space = fs::space(folder_, failure);
    if (failure || space.available >= parts_.settings.bytes(file_recorder_min_space) + bytes) return;
    throw Error(fmt::format("Not enough available disk space for parts in {}", folder_.string()), TD_NO_SPACE, true);
}

void Cutter::write(const fs::path& file, const Job& job, FileVersion& cut_from, const std::stop_token& stop) {
    const BlockingCall call(longest, stop);
    File part(file, File::Mode::Create);
    try {
        readers_.with(job.source, *job.reader, [&](Reader& reader, const FileVersion& version) {
            cut_from = version;
            reader.cut(job.times.from_us.value_or(0), job.times.to_us.value_or(TD_NO_TIME), true, part);
        });
    } catch (const Error& error) {
        // What the reader finds malformed is the file, what it does not find is the part.
        if (error.status() == TD_NOT_FOUND && fs::exists(job.source)) throw Error(error.what(), TD_MALFORMED);
        if (error.status() == TD_MALFORMED) throw Error(error.what(), TD_FAILED);
        throw;
    }
}

/// The list knows a part before it has its name: after a kill in between it names a file that is not there.
fs::path Cutter::place(const fs::path& temporary, const std::string& name, KnownCut cut) {
    remove_own(name);
    const auto dot = name.rfind('.');
    for (unsigned copy = 1; copy < 100; ++copy) {
        cut.file = copy == 1 ? name : fmt::format("{}-{}{}", name.substr(0, dot), copy, name.substr(dot));
        fs::path final = folder_ / cut.file;
        std::error_code ignored;  // the rename says what is wrong
        fs::create_directories(final.parent_path(), ignored);
        if (fs::exists(fs::symlink_status(final, ignored))) continue;
        {
            const std::lock_guard lock(mutex_);
            list_.add(name, cut);
        }
        if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final.c_str(), RENAME_NOREPLACE) == 0) return final;
        if (errno == EINVAL && ::rename(temporary.c_str(), final.c_str()) == 0) return final;  // FUSE, NFS
        const int failure = errno;
        {
            const std::lock_guard lock(mutex_);
            list_.remove(name);
        }
        if (failure != EEXIST) throw_errno("rename to " + final.string(), failure);
    }
    throw Error(fmt::format("part {}: files that are no parts have all its names", printable(name)), TD_EXISTS);
}

/// Deletes the part of this name, unless somebody put another file in its place.
void Cutter::remove_own(const std::string& name) {
    KnownCut cut;
    {
        const std::lock_guard lock(mutex_);
        const KnownCut* known = list_.find(name);
        if (known == nullptr) return;
        cut = *known;
        list_.remove(name);
    }
    const fs::path file = folder_ / cut.file;
    std::error_code ignored;  // gone already, or a leftover
    if (version_of(file) == cut.part) fs::remove(file, ignored);
}

/// Deletes what is too old, then what was not asked for longest while all together have too much. The newest stays.
void Cutter::clean() {
    const auto most_age = parts_.settings.duration(cutter_max_age);
    const auto most_bytes = parts_.settings.bytes(cutter_max_size);
    if (most_age.count() == 0 && most_bytes == 0) return;
    std::vector<std::string> removed;
    {
        const std::lock_guard lock(mutex_);
        std::vector<std::pair<std::int64_t, const std::string*>> by_use;
        for (const auto& [name, cut] : list_.all()) by_use.emplace_back(cut.used_us, &name);
        if (by_use.empty()) return;
        std::ranges::sort(by_use);
        by_use.pop_back();
        std::uint64_t bytes = list_.bytes();
        const std::int64_t oldest = now_us() - most_age.count();
        for (const auto& [used, name] : by_use) {
            const bool too_old = most_age.count() != 0 && used < oldest;
            const bool too_much = most_bytes != 0 && bytes > most_bytes;
            if (!too_old && !too_much) break;
            bytes -= list_.find(*name)->part.size;
            removed.push_back(*name);
        }
    }
    for (const std::string& name : removed) remove_own(name);
    if (!removed.empty())
        log::info("deleted {} parts of recordings, by cutter.max_age and cutter.max_size", removed.size());
}

void Cutter::remove_leftovers() const {
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

}  // namespace tapedeck::host
