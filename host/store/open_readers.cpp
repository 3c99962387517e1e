#include "store/open_readers.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"

namespace tapedeck::host {

using Clock = std::chrono::steady_clock;

void OpenReaders::with(const std::filesystem::path& file, const Extension& extension, const Use& use) {
    const std::shared_ptr<Entry> entry = find(file);
    const std::lock_guard busy(entry->busy);
    const auto now = version_of(file);
    if (!now || !entry->reader || *now != entry->version || &entry->reader->extension() != &extension) {
        entry->reader.reset();
        entry->file.reset();
        try {
            entry->file.emplace(file, File::Mode::Read);
            entry->version = version_of(entry->file->descriptor()->number).value_or(FileVersion{});
            entry->reader.emplace(extension, *entry->file);
        } catch (...) {
            entry->reader.reset();
            forget(file, entry);
            throw;
        }
    }
    use(*entry->reader, *entry->file, entry->version);
}

std::shared_ptr<OpenReaders::Entry> OpenReaders::find(const std::filesystem::path& file) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[file];
    if (!entry) entry = std::make_shared<Entry>();
    std::shared_ptr<Entry> found = entry;
    found->used = Clock::now();
    while (entries_.size() > most) {
        auto oldest = entries_.end();
        for (auto at = entries_.begin(); at != entries_.end(); ++at) {
            const bool in_use = at->second.use_count() > 1;
            if (!in_use && (oldest == entries_.end() || at->second->used < oldest->second->used)) oldest = at;
        }
        if (oldest == entries_.end()) break;
        entries_.erase(oldest);
    }
    return found;
}

void OpenReaders::forget(const std::filesystem::path& file, const std::shared_ptr<Entry>& entry) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(file);
    if (found != entries_.end() && found->second == entry) entries_.erase(found);
}

void OpenReaders::close_idle(Clock::duration idle) {
    const auto limit = Clock::now() - idle;
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& one) { return one.second.use_count() == 1 && one.second->used < limit; });
}

}  // namespace tapedeck::host
