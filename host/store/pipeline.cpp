#include "store/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <ranges>
#include <thread>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "event/dispatcher.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/context.hpp"
#include "store/disk.hpp"
#include "store/flusher.hpp"
#include "store/keys.hpp"
#include "store/naming.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const Extension& require_extension(const Delivery::Parts& parts, const char* kind, const std::string& id,
                                   const char* setting) {
    std::string names;
    for (const Extension* one : parts.extensions(kind)) {
        if (one->id == id) return *one;
        names += (names.empty() ? "" : ", ") + one->id;
    }
    throw Error(fmt::format("{}: no {} plugin '{}' is enabled; there are: {}", setting, kind, printable(id),
                            names.empty() ? "none" : names),
                TD_NOT_FOUND);
}

}  // namespace

Pipeline::Pipeline(Delivery::Parts parts)
    : parts_(std::move(parts)),
      settings_(parts_.settings, ""),
      staging_(settings_.path(record_tmp_dir), settings_.path(state_dir) / "staging"),
      naming_(std::make_unique<Naming>(require_extension(parts_, "naming", settings_.text(naming_id), naming_id.name))),
      finishing_("finishing", static_cast<std::size_t>(settings_.integer(file_recorder_thread_pool_max_size))),
      clock_("delivery", 1),
      recovery_("recovery", 1) {
    const std::int64_t threads = settings_.integer(file_recorder_thread_pool_max_size);
    const auto cpus = static_cast<std::int64_t>(std::thread::hardware_concurrency());
    if (settings_.is_set(file_recorder_thread_pool_max_size) && cpus > 0 && threads > cpus) {
        log::warning("file_recorder_thread_pool_max_size is {}, more than the {} CPUs of this machine", threads, cpus);
    }
    for (const std::string& id : list_of(settings_.text(storage_ids))) {
        const Extension& extension = require_extension(parts_, "storage", id, storage_ids.name);
        std::size_t workers = 2;
        if (const auto own = extension.context->settings.find("workers"); own && own->type == TD_INTEGER) {
            workers = static_cast<std::size_t>(std::max<std::int64_t>(1, own->number));
        }
        targets_.push_back(std::make_unique<Target>(extension, workers));
    }
    if (targets_.empty()) throw Error("storage: at least one storage is needed, such as 'local'");
    require_writable(state_dir.name, settings_.path(state_dir));
    const fs::path own = home_folder(nullptr);
    if (!own.empty()) require_writable(home().name, own);
    const fs::path& temporary = staging_.folder(own);
    if (temporary != own) require_writable(record_tmp_dir.name, temporary);
    for (const fs::path& folder : {own, temporary}) {
        try {
            if (!folder.empty()) parts_.disk.require(folder);
        } catch (const Error& error) {
            log::warning("{}; nothing is recorded until there is more", error.what());
        }
    }
}

fs::path Pipeline::home_folder(const Recording* recording) const {
    if (recording == nullptr) return targets_.front()->storage.folder().value_or(fs::path());
    const td_recording view = recording->abi();
    return targets_.front()->storage.folder(&view).value_or(fs::path());
}

std::vector<fs::path> Pipeline::homes() const {
    Recording multi;
    multi.flags = TD_RECORDING_MULTI;
    std::vector<fs::path> folders{home_folder(nullptr)};
    if (auto other = home_folder(&multi); other != folders.front()) folders.push_back(std::move(other));
    return folders;
}

OpenFile Pipeline::open(Recording& recording) {
    if (recording.checked == nullptr && !recording.options.empty()) {
        recording.checked =
            std::make_shared<td_options>(restore_options(*parts_.settings.current(), recording.options));
    }
    const fs::path home = home_folder(&recording);
    parts_.disk.require(staging_.folder(home));
    if (!home.empty()) parts_.disk.require(home);
    OpenFile opened;
    opened.row = recording.row = parts_.catalog.next_row();
    opened.file = staging_.create(recording, home);
    opened.file->keep_reserve();
    opened.file->set_spare(2 * static_cast<std::uint64_t>(settings_.bytes(file_recorder_min_space)));
    recording.path = opened.file->path().string();
    recording.memo = recording.to_json();
    parts_.flusher.add(*opened.file);
    auto job = std::make_shared<Job>();
    job->entry.facts = recording;
    job->known_as = opened.name = provisional_name(recording);
    job->path = recording.path;
    job->places = opened.file->places();
    {
        const std::lock_guard lock(mutex_);
        jobs_.emplace(opened.row, job);
    }
    parts_.catalog.save(job->entry);
    return opened;
}

void Pipeline::require_free_name(const Recording& recording) const {
    if (recording.segment > 1 || settings_.text(record_name_collision, recording.checked.get()) != "fail") return;
    const fs::path home = home_folder(&recording);
    const std::string known = provisional_name(recording);
    std::error_code ignored;  // what cannot be seen is not there
    const bool taken = parts_.catalog.is_claimed(known) || (!home.empty() && fs::exists(home / known, ignored));
    if (!taken || known.find('{') != std::string::npos) return;
    throw Error(fmt::format("the file {} exists; remove it, or set record_name_collision to suffix or overwrite",
                            printable(known)),
                TD_EXISTS);
}

void Pipeline::finish(std::int64_t row, Recording facts, std::unique_ptr<Writer> writer, std::unique_ptr<File> file,
                      Delivery::Released released) {
    const JobPtr job = find(row);
    if (job == nullptr) throw std::logic_error("delivery: finish of an unknown row");
    facts.row = row;
    facts.path = file->path().string();
    facts.flags |= TD_RECORDING_FINAL;
    {
        const std::lock_guard lock(mutex_);
        job->entry.facts = std::move(facts);
        job->file = std::move(file);
        job->writer = std::move(writer);
        job->released = std::move(released);
        job->shown = job->entry.facts;
    }
    line_up(job);
    clock_.post([self = shared_from_this(), job](const std::stop_token&) { self->tell(job); },
                Workers::Clock::now() + settings_.duration(record_stop_timeout));
    post(job, &Pipeline::name, finishing_);
}

void Pipeline::line_up(const JobPtr& job) {
    const std::lock_guard lock(mutex_);
    job->is_closed = true;
    ++closed_;
    lanes_[job->entry.facts.media_session].push_back(job);
}

void Pipeline::discard(std::int64_t row, std::unique_ptr<File> file) {
    const JobPtr job = find(row);
    if (job == nullptr) return;
    const fs::path path = file->path();
    {
        const std::lock_guard lock(mutex_);
        jobs_.erase(row);
    }
    parts_.catalog.forget(row);
    file.reset();
    std::error_code ignored;  // there is nothing in it
    fs::remove(path, ignored);
    staging_.forget(path.filename().string());
}

std::chrono::steady_clock::duration Pipeline::patience() const {
    return parts_.catalog.is_reachable() ? Workers::Clock::duration(catalog_patience) : 0s;
}

void Pipeline::commit(const JobPtr& job, State state, StepFunction next, Workers& workers, Wait wait) {
    job->failures = 0;
    const auto once = std::make_shared<std::atomic_flag>();
    const auto go = [self = shared_from_this(), job, next, &workers, once] {
        if (!once->test_and_set()) self->post(job, next, workers);
    };
    Entry entry;
    {
        const std::lock_guard lock(mutex_);
        job->entry.state = state;
        entry = job->entry;
    }
    parts_.catalog.save(std::move(entry), go);
    if (wait == Wait::AWhile) clock_.post([go](const std::stop_token&) { go(); }, Workers::Clock::now() + patience());
}

void Pipeline::post(const JobPtr& job, StepFunction step, Workers& workers, std::chrono::steady_clock::duration delay) {
    const auto run = [self = shared_from_this(), job, step, &workers](const std::stop_token& stop) {
        try {
            ((*self).*step)(job, stop);
        } catch (const std::exception& error) {  // what a step does not expect must not leave its file behind
            self->retry(job, Error(error.what(), TD_FAILED, true), step, workers);
        }
    };
    workers.post(run, Workers::Clock::now() + delay);
}

std::chrono::microseconds Pipeline::delay_after(unsigned failures) const {
    std::chrono::microseconds delay = settings_.duration(storage_retry_delay);
    for (unsigned n = 1; n < failures && delay < 5min; ++n) delay *= 2;
    return std::min<std::chrono::microseconds>(delay, 5min);
}

bool Pipeline::retry(const JobPtr& job, const Error& error, StepFunction step, Workers& workers) {
    static auto& counter =
        metrics::counter("tapedeck_delivery_failures_total", "", "Steps of finishing files that failed");
    counter.fetch_add(1, std::memory_order_relaxed);
    const auto delay = delay_after(++job->failures);
    log::warning("{} of {}: {}; attempt {}, again in {} ms", printable(job->entry.facts.path),
                 printable(job->entry.facts.stream), error.what(), job->failures,
                 std::chrono::duration_cast<std::chrono::milliseconds>(delay).count());
    if (!error.retryable() && job->failures >= 3) return false;
    post(job, step, workers, delay);
    return true;
}

bool Pipeline::reached(std::string_view step, const JobPtr& job) {
    Delivery::Step look;
    {
        const std::lock_guard lock(mutex_);
        look = step_;
    }
    if (!look || look(step, job->entry.facts.row)) return true;
    drop(job);
    return false;
}

Pipeline::JobPtr Pipeline::find(std::int64_t row) const {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(row);
    return found == jobs_.end() ? nullptr : found->second;
}

/// All threads but one may be in one file system, so that one that hangs does not hold up the others.
bool Pipeline::enter(const JobPtr& job, std::uint64_t device) {
    const auto threads = static_cast<std::size_t>(settings_.integer(file_recorder_thread_pool_max_size));
    const std::lock_guard lock(mutex_);
    Crowd& crowd = crowds_[device];
    if (crowd.running >= std::max<std::size_t>(1, threads - 1)) {
        crowd.waiting.push_back(job);
        return false;
    }
    ++crowd.running;
    return true;
}

void Pipeline::leave(std::uint64_t device) {
    JobPtr next;
    {
        const std::lock_guard lock(mutex_);
        Crowd& crowd = crowds_[device];
        --crowd.running;
        if (crowd.waiting.empty()) return;
        next = std::move(crowd.waiting.front());
        crowd.waiting.pop_front();
    }
    post(next, &Pipeline::seal, finishing_);
}

std::size_t Pipeline::pending() const {
    const std::lock_guard lock(mutex_);
    return closed_ + (sweeping_ ? 1 : 0);
}

bool Pipeline::wait(std::chrono::milliseconds limit) {
    const auto end = Workers::Clock::now() + limit;
    std::unique_lock lock(mutex_);
    const auto lost = Workers::Clock::now() + catalog_patience;
    for (;;) {
        const auto now = Workers::Clock::now();
        const bool sweeps = sweeping_ && (now < lost || parts_.catalog.is_reachable());
        if (!sweeps && is_idle()) return true;
        if (now >= end) return false;
        idle_.wait_until(lock, std::min(end, now + 250ms));  // nobody tells when the catalogue is lost
    }
}

/// A hook gets the files of a session in order, so one that waits for its next attempt holds up those behind it.
bool Pipeline::is_idle() const {
    if (closed_ == 0) return true;
    std::set<std::pair<std::string, std::string>> held;  // session, hook
    for (const auto& [row, job] : jobs_) {
        for (const std::string& hook : job->resting) held.emplace(job->entry.facts.media_session, hook);
    }
    return std::ranges::all_of(jobs_, [&](const auto& one) {
        const Job& job = *one.second;
        const auto waits = [&](const Debt& debt) {
            return debt.event != 0 && held.contains({job.entry.facts.media_session, debt.target});
        };
        return !job.is_closed || (job.is_stored && std::ranges::all_of(job.entry.debts, waits));
    });
}

std::optional<UnderWay> Pipeline::under_way(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [row, job] : std::views::reverse(jobs_)) {  // the newest of the name
        if (job->known_as == name && job->places != nullptr) return UnderWay{job->path, job->places};
    }
    return {};
}

void Pipeline::remove(const std::string& key, const std::stop_token& stop) const {
    const BlockingCall call(settings_.duration(storage_timeout), stop);
    targets_.front()->storage.remove(key);
}

void Pipeline::on_step(Delivery::Step step) {
    const std::lock_guard lock(mutex_);
    step_ = std::move(step);
}

void Pipeline::stop(std::chrono::milliseconds limit) {
    const auto end = Workers::Clock::now() + limit;
    const auto left = [&] {
        return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - Workers::Clock::now()), 0ms);
    };
    recovery_.stop(left());
    finishing_.stop(left());
    for (const auto& target : targets_) target->workers.stop(left());
    clock_.stop(left());
}

}  // namespace tapedeck::host
