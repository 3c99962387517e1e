// The first half of the pipeline: the name, the finished file, its home.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"
#include "event/dispatcher.hpp"
#include "plugin/blocking_call.hpp"
#include "store/keys.hpp"
#include "store/pipeline.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto naming_limit = 10s;  // of one call

/// As long as the file is open, its content is there: until it has a name again, it is tried again.
void relink(File& file) {
    try {
        file.ensure_linked();
    } catch (const Error& error) {
        throw Error(error.what(), error.status(), true);
    }
}

}  // namespace

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
    job->shown.name = job->known_as = key;
    std::erase_if(job->entry.debts, [](const Debt& debt) { return debt.event == 0; });
    Debt debt;
    debt.target = home().name;
    debt.detail = replace ? "replace" : "";
    job->entry.debts.push_back(std::move(debt));
}

void Pipeline::name(const JobPtr& job, const std::stop_token&) {
    if (!reached("naming", job)) return;
    reserve(job, 1);
    commit(job, State::Named, &Pipeline::seal, finishing_);
}

void Pipeline::seal(const JobPtr& job, const std::stop_token& stop) {
    const std::uint64_t device = job->file->device();
    if (!enter(job, device)) return;
    // Gives the place to the next one however this ends.
    const auto place = std::shared_ptr<void>(nullptr, [this, device](void*) { leave(device); });
    if (!reached("named", job)) return;
    Recording& facts = job->entry.facts;
    try {
        const BlockingCall call(settings_.duration(storage_timeout), stop);
        relink(*job->file);
        job->file->free_reserve();
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
    {
        const std::lock_guard lock(mutex_);
        job->path = facts.path;
    }
    job->writer.reset();
    job->file.reset();
    commit(job, State::Finished, &Pipeline::put, home().workers);
}

/// Called with the lock.
Debt& Pipeline::home_debt(const JobPtr& job) {
    for (Debt& debt : job->entry.debts) {
        if (debt.event == 0) return debt;
    }
    Debt debt;
    debt.target = home().name;
    return job->entry.debts.emplace_back(std::move(debt));
}

void Pipeline::put(const JobPtr& job, const std::stop_token& stop) {
    if (!reached("finished", job)) return;
    Recording& facts = job->entry.facts;
    bool replace = false;
    {
        const std::lock_guard lock(mutex_);
        replace = home_debt(job).detail == "replace";
    }
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
    const std::vector<std::string> wanted = list_of(settings_.text(storage_ids, facts.checked.get()));
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(job->entry.debts, [](const Debt& debt) { return debt.event == 0; });
        for (std::size_t n = 1; n < targets_.size(); ++n) {
            if (std::ranges::find(wanted, targets_[n]->storage.extension().id) == wanted.end()) continue;
            job->entry.debts.push_back(
                {.target = targets_[n]->name, .event = 0, .attempts = 0, .next_try_us = 0, .detail = {}});
        }
        for (const std::string& hook : parts_.dispatcher.targets()) {
            job->entry.debts.push_back(
                {.target = hook, .event = TD_RECORD_STORED, .attempts = 0, .next_try_us = 0, .detail = {}});
        }
        job->shown = facts;
        job->path = facts.path;
    }
    // Clients hear their name in any case, hooks only of what the catalogue knows.
    clock_.post([self = shared_from_this(), job](const std::stop_token&) { self->tell(job); },
                Workers::Clock::now() + patience());
    commit(job, State::Stored, &Pipeline::stored, clock_, Wait::UntilCommitted);
}

void Pipeline::stored(const JobPtr& job, const std::stop_token&) {
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
    State state{};
    {
        const std::lock_guard lock(mutex_);
        call = std::exchange(job->released, nullptr);
        shown = job->shown;
        state = job->entry.state;
    }
    if (!call) return;
    if (shown.name.empty() && state == State::Recording) shown.name = provisional_name(shown);
    call(shown);
}

}  // namespace tapedeck::host
