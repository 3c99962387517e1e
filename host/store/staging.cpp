#include "store/staging.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "store/disk.hpp"
#include "store/naming.hpp"

namespace tapedeck::host {
namespace fs = std::filesystem;

const fs::path& Staging::folder(const fs::path& home) const {
    if (!temporary_.empty()) return temporary_;
    return home.empty() ? fallback_ : home;
}

std::unique_ptr<File> Staging::create(const Recording& recording, const fs::path& home) {
    const fs::path in = folder(home);
    for (unsigned number = std::max(1u, recording.segment);; ++number) {
        const std::string name = part_name(recording.media_session, number, recording.extension);
        {
            const std::lock_guard lock(mutex_);
            if (!known_.insert(name).second) continue;
        }
        try {
            std::error_code ignored;  // making the file says what is wrong
            if (home.empty() || home == in || !fs::exists(home / name, ignored)) {
                auto file = std::make_unique<File>(in / name, File::Mode::Create);
                if (!home.empty()) file->set_target(home);
                return file;
            }
        } catch (const Error& error) {
            forget(name);
            if (error.status() != TD_EXISTS) throw;
            continue;
        }
        forget(name);
    }
}

bool Staging::is_known(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return known_.contains(name);
}

void Staging::know(const std::string& name) {
    const std::lock_guard lock(mutex_);
    known_.insert(name);
}

void Staging::forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    known_.erase(name);
}

std::vector<fs::path> Staging::folders(const std::vector<fs::path>& homes) const {
    std::vector<fs::path> all;
    for (const fs::path& one : homes) {
        if (!one.empty()) all.push_back(one);
    }
    for (const fs::path& one : {temporary_, fallback_}) {
        if (!one.empty() && std::ranges::find(all, one) == all.end()) all.push_back(one);
    }
    return all;
}

std::vector<fs::path> Staging::strays(const std::vector<fs::path>& homes) const {
    std::vector<fs::path> found;
    for (const fs::path& folder : folders(homes)) {
        std::error_code failed;
        for (auto entry = fs::directory_iterator(folder, failed); !failed && entry != fs::directory_iterator();
             entry.increment(failed)) {
            const std::string name = entry->path().filename().string();
            constexpr std::string_view hidden = ".rewrite";
            if (name.starts_with('.') && name.ends_with(hidden)) {
                const std::string of = name.substr(1, name.size() - 1 - hidden.size());
                std::error_code ignored;  // it is only in the way
                if (is_part_name(of) && !is_known(of)) fs::remove(entry->path(), ignored);
            } else if (is_part_name(name) && !is_known(name) && entry->is_regular_file(failed)) {
                found.push_back(entry->path());
            }
        }
        if (failed && failed != std::errc::no_such_file_or_directory) {
            log::warning("recovery: {}: {}", folder.string(), failed.message());
        }
    }
    std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename(); });
    return found;
}

std::vector<fs::path> Staging::twins(const fs::path& path, const std::vector<fs::path>& homes) const {
    std::vector<fs::path> found;
    for (const fs::path& folder : folders(homes)) {
        std::error_code ignored;  // what cannot be seen is not there
        const fs::path twin = folder / path.filename();
        if (twin != path && fs::exists(twin, ignored)) found.push_back(twin);
    }
    return found;
}

namespace {

void write_probe(const fs::path& folder) {
    const fs::path probe = folder / fmt::format(".tapedeck-write-check-{}", ::getpid());
    std::error_code ignored;  // left by a kill in this very moment
    fs::remove(probe, ignored);
    { const File file(probe, File::Mode::Create); }
    fs::remove(probe);
}

}  // namespace

void require_writable(const std::string& setting, const fs::path& folder, Missing missing) {
    try {
        write_probe(missing == Missing::IsMade ? folder : existing_folder(folder));
    } catch (const std::exception& error) {
        throw Error(fmt::format("{}: the folder {} cannot be written: {}; make it writable for the user of the server",
                                setting, folder.string(), error.what()));
    }
}

}  // namespace tapedeck::host
