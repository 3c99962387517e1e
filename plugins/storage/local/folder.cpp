// The folder of finished recordings.
#include "folder.hpp"

#include <unistd.h>

#include <cerrno>

#include "move.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::local {

namespace fs = std::filesystem;

fs::path Folder::target(std::string_view key) const {
    const auto refuse = [&] {
        throw Error(TD_MALFORMED, "key '" + std::string(key) + "' is no path below " + root_.string());
    };
    if (key.empty() || key.find('\0') != std::string_view::npos) refuse();
    for (std::size_t at = 0; at <= key.size();) {
        const auto end = std::min(key.find('/', at), key.size());
        const auto part = key.substr(at, end - at);
        if (part.empty() || part == "." || part == "..") refuse();
        at = end + 1;
    }
    return root_ / key;
}

std::string Folder::put(const fs::path& file, std::string_view key, bool replace,
                        const std::function<bool()>& cancelled) const {
    const auto to = target(key);
    auto uri = "file://" + to.string();
    std::error_code unreadable;
    const auto found = fs::symlink_status(file, unreadable);
    if (!fs::exists(found)) {
        if (unreadable && found.type() != fs::file_type::not_found) fail("cannot look at", file, unreadable.value());
        if (fs::is_regular_file(to, unreadable)) return uri;
        throw Error(TD_NOT_FOUND, "the file " + file.string() + " is gone and " + to.string() + " is not there");
    }
    make_folders(to.parent_path());
    if (is_same_file(file, to)) {
        // A crash came between the two steps of an earlier attempt.
        if (!is_same_entry(file, to) && ::unlink(file.c_str()) != 0 && errno != ENOENT)
            fail("cannot remove", file, errno);
        return uri;
    }
    auto moved = move_within(file, to, replace);
    if (moved == Moved::unsupported) moved = move_across(file, to, replace, cancelled);
    if (moved == Moved::taken) throw Error(TD_EXISTS, to.string() + " exists");
    if (moved == Moved::unsupported)
        throw Error(TD_UNSUPPORTED, root_.string() + " lies on a file system that cannot rename files");
    sync_folder(to.parent_path());
    return uri;
}

void Folder::remove(std::string_view key) const {
    const auto path = target(key);
    if (::unlink(path.c_str()) == 0) return sync_folder(path.parent_path());
    if (errno != ENOENT && errno != ENOTDIR) fail("cannot remove", path, errno);
}

}  // namespace tapedeck::local
