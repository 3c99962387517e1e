#include "store/held_space.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

/// Calls `each(path)` for what the folder has. Processes and their files may go away meanwhile, or be somebody else's.
template <class Each>
void for_each_entry(const fs::path& folder, Each each) {
    std::error_code ignored;  // what cannot be seen is not counted
    for (auto entry = fs::directory_iterator(folder, ignored); !ignored && entry != fs::directory_iterator();
         entry.increment(ignored)) {
        each(entry->path());
    }
}

bool is_process(const fs::path& entry) {
    return std::ranges::all_of(entry.filename().string(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::uint64_t held_bytes(const fs::path& folder) {
    std::error_code ignored;
    const std::string below = fs::weakly_canonical(folder, ignored).string() + '/';
    std::set<std::pair<dev_t, ino_t>> seen;  // a file may be open many times
    std::uint64_t bytes = 0;
    const auto count = [&](const fs::path& descriptor) {
        // By the link's own text first: no file on another disk, which may hang, is touched.
        const std::string name = fs::read_symlink(descriptor, ignored).string();
        if (!name.starts_with(below) || !name.ends_with(" (deleted)")) return;
        // A number for a name has what never had one: the room kept for the ends of running recordings.
        if (fs::path(name).filename().native().starts_with('#')) return;
        struct stat file {};
        if (::stat(descriptor.c_str(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_nlink != 0) return;
        if (seen.emplace(file.st_dev, file.st_ino).second) bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
    };
    for_each_entry("/proc", [&](const fs::path& process) {
        if (is_process(process)) for_each_entry(process / "fd", count);
    });
    return bytes;
}

}  // namespace tapedeck::host
