#include "store/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
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

constexpr auto naming_limit = 10s;     // of one call
constexpr auto catalog_patience = 5s;  // a file is finished and named all the same

std::vector<std::string> ids_of(std::string_view list) {
    std::vector<std::string> ids;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        std::string id(list.substr(begin, end - begin));
        std::erase(id, ' ');
        if (!id.empty()) ids.push_back(std::move(id));
        begin = end + 1;
    }
    return ids;
}

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
    for (const std::string& id : ids_of(settings_.text(storage_ids))) {
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
    if (settings_.text(record_name_collision, recording.checked.get()) == "fail") {
        const std::string known = provisional_name(recording);
        std::error_code ignored;  // what cannot be seen is not there
        const bool taken = parts_.catalog.is_claimed(known) || (!home.empty() && fs::exists(home / known, ignored));
        if (known.find('{') == std::string::npos && taken) {
            throw Error(
                fmt::format("the file {} exists; remove it, or set record_name_collision to suffix or overwrite",
                            printable(known)),
                TD_EXISTS);
        }
    }
    OpenFile opened;
    opened.row = recording.row = parts_.catalog.next_row();
    opened.file = staging_.create(recording, home);
    recording.path = opened.file->path().string();
    recording.memo = recording.to_json();
    parts_.flusher.add(*opened.file);
    auto job = std::make_shared<Job>();
    job->entry.facts = recording;
    {
        const std::lock_guard lock(mutex_);
        jobs_.emplace(opened.row, job);
    }
    parts_.catalog.save(job->entry);
    return opened;
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
    clock_.post([self = shared_from_this(), job](std::stop_token) { self->tell(job); },
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

/// Naming, with what is known of a recording.
NameParts Pipeline::parts_of(const Recording& facts, bool final) const {
    Recording asked = facts;
    asked.flags =
        final ? asked.flags | TD_RECORDING_FINAL : asked.flags & ~static_cast<std::uint32_t>(TD_RECORDING_FINAL);
    const bool numbered = settings_.boolean(record_rotation_index_enabled, facts.checked.get());
    NameParts parts{.stem = {}, .segment = numbered ? facts.segment : 0, .extension = facts.extension};
    try {
        const BlockingCall call(naming_limit);
        parts.stem = naming_->name(asked.abi());
        make_key(parts);  // throws for a name that is refused
    } catch (const Error& error) {
        parts.stem = safe_file_name(facts.media_session.empty() ? "recording" : facts.media_session);
        log::error("{}; the recording of {} is named {}", error.what(), printable(facts.stream), parts.stem);
    }
    return parts;
}

std::string Pipeline::provisional_name(const Recording& recording) const {
    return make_key(parts_of(recording, false));
}

/// The first free name from `first_copy` on, claimed for the job.
void Pipeline::reserve(const JobPtr& job, unsigned first_copy) {
    Recording& facts = job->entry.facts;
    const NameParts parts = parts_of(facts, true);
    const fs::path folder = home_folder(&facts);
    const std::string mode = settings_.text(record_name_collision, facts.checked.get());
    parts_.catalog.wait_loaded(catalog_patience);
    std::string key;
    bool replace = false;
    for (unsigned copy = first_copy;; ++copy) {
        key = make_key(parts, copy);
        if (!parts_.catalog.claim(key, facts.row)) continue;  // still owed to a storage or a hook: never overwritten
        std::error_code ignored;                              // what cannot be seen is not there
        const bool exists = !folder.empty() && fs::exists(folder / key, ignored);
        replace = copy == 1 && mode == "overwrite";
        if (!exists || replace) break;
    }
    if (mode == "fail" && key != make_key(parts)) {
        log::error("the file {} came to exist while it was recorded; the recording is kept as {}",
                   printable(make_key(parts)), printable(key));
    }
    const std::lock_guard lock(mutex_);
    facts.name = key;
    job->shown.name = key;
    std::erase_if(job->entry.debts, [](const Debt& debt) { return debt.event == 0; });
    Debt debt;
    debt.target = home().name;
    debt.detail = replace ? "replace" : "";
    job->entry.debts.push_back(std::move(debt));
}

void Pipeline::name(const JobPtr& job, std::stop_token) {
    if (!reached("naming", job)) return;
    reserve(job, 1);
    commit(job, State::Named, &Pipeline::seal, finishing_);
}

void Pipeline::seal(const JobPtr& job, std::stop_token stop) {
    if (!reached("named", job)) return;
    Recording& facts = job->entry.facts;
    try {
        const BlockingCall call(settings_.duration(storage_timeout), stop);
        job->file->ensure_linked();
        job->writer->finish();
        if (!reached("finishing", job)) return;
        job->file->commit();
    } catch (const Error& error) {
        if (!retry(job, error, &Pipeline::seal, finishing_)) quarantine(job, error.what());
        return;
    }
    if (!reached("committing", job)) return;
    facts.bytes = job->file->length();
    facts.path = job->file->path().string();
    job->writer.reset();
    job->file.reset();
    commit(job, State::Finished, &Pipeline::put, home().workers);
}

Debt& Pipeline::home_debt(const JobPtr& job) {
    for (Debt& debt : job->entry.debts) {
        if (debt.event == 0) return debt;
    }
    Debt debt;
    debt.target = home().name;
    return job->entry.debts.emplace_back(std::move(debt));
}

void Pipeline::put(const JobPtr& job, std::stop_token stop) {
    if (!reached("finished", job)) return;
    Recording& facts = job->entry.facts;
    const bool replace = home_debt(job).detail == "replace";
    try {
        const BlockingCall call(settings_.duration(storage_timeout), stop);
        facts.uri = home().storage.put(facts.abi(), facts.name, replace);
    } catch (const Error& error) {
        std::error_code ignored;  // what cannot be seen is not there
        if (error.status() == TD_EXISTS && !replace) {
            reserve(job, 2);
            commit(job, State::Finished, &Pipeline::put, home().workers);
        } else if (!retry(job, error, &Pipeline::put, home().workers)) {
            if (error.status() == TD_NOT_FOUND && !fs::exists(facts.path, ignored)) {
                lost(job, error.what());
            } else {
                post(job, &Pipeline::put, home().workers, delay_after(job->failures));  // an operator can help
            }
        }
        return;
    }
    if (!reached("putting", job)) return;
    staging_.forget(fs::path(facts.path).filename().string());
    std::error_code ignored;  // what cannot be seen is not there
    if (const fs::path folder = home_folder(&facts); !folder.empty() && fs::exists(folder / facts.name, ignored)) {
        facts.path = (folder / facts.name).string();
    } else if (constexpr std::string_view scheme = "file://"; facts.uri.starts_with(scheme)) {
        facts.path = facts.uri.substr(scheme.size());
    }
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(job->entry.debts, [](const Debt& debt) { return debt.event == 0; });
        for (std::size_t n = 1; n < targets_.size(); ++n) {
            job->entry.debts.push_back(
                {.target = targets_[n]->name, .event = 0, .attempts = 0, .next_try_us = 0, .detail = {}});
        }
        for (const std::string& hook : parts_.dispatcher.targets()) {
            job->entry.debts.push_back(
                {.target = hook, .event = TD_RECORD_STORED, .attempts = 0, .next_try_us = 0, .detail = {}});
        }
        job->shown = facts;
    }
    commit(job, State::Stored, &Pipeline::stored, clock_);
}

void Pipeline::stored(const JobPtr& job, std::stop_token) {
    if (!reached("stored", job)) return;
    log::info("recorded {} ({} bytes, {} ms) of {}", printable(job->entry.facts.name), job->entry.facts.bytes,
              job->entry.facts.duration_us == TD_NO_TIME ? -1 : job->entry.facts.duration_us / 1000,
              printable(job->entry.facts.stream));
    tell(job);
    settle(job);
}

void Pipeline::tell(const JobPtr& job) {
    Delivery::Released call;
    Recording shown;
    {
        const std::lock_guard lock(mutex_);
        call = std::exchange(job->released, nullptr);
        shown = job->shown;
    }
    if (!call) return;
    if (shown.name.empty() && job->entry.state == State::Recording) shown.name = provisional_name(shown);
    call(shown);
}

void Pipeline::commit(const JobPtr& job, State state, StepFunction next, Workers& workers) {
    job->entry.state = state;
    job->failures = 0;
    const auto once = std::make_shared<std::atomic_flag>();
    const auto go = [self = shared_from_this(), job, next, &workers, once] {
        if (!once->test_and_set()) self->post(job, next, workers);
    };
    Entry entry;
    {
        const std::lock_guard lock(mutex_);
        entry = job->entry;
    }
    parts_.catalog.save(std::move(entry), go);
    const auto patience = parts_.catalog.is_reachable() ? Workers::Clock::duration(catalog_patience) : 0s;
    clock_.post([go](std::stop_token) { go(); }, Workers::Clock::now() + patience);
}

void Pipeline::post(const JobPtr& job, StepFunction step, Workers& workers, std::chrono::steady_clock::duration delay) {
    workers.post([self = shared_from_this(), job, step](std::stop_token stop) { ((*self).*step)(job, stop); },
                 Workers::Clock::now() + delay);
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

std::size_t Pipeline::pending() const {
    const std::lock_guard lock(mutex_);
    return closed_ + (sweeping_ ? 1 : 0);
}

bool Pipeline::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, limit, [&] { return closed_ == 0 && !sweeping_; });
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
