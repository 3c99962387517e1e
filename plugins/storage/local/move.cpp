// Ways to give a file another name.
#include "move.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "copy.hpp"
#include "descriptor.hpp"

namespace tapedeck::local {

namespace fs = std::filesystem;

namespace {

/// EPERM is what file systems without hard links say; from a rename it means a lack of rights.
Moved outcome(int result, const fs::path& to, bool is_link = false) {
    if (result == 0) return Moved::done;
    const int cause = errno;
    if (cause == EEXIST || cause == ENOTEMPTY || cause == EISDIR) return Moved::taken;
    if (cause == EINVAL || cause == ENOSYS || cause == EOPNOTSUPP || cause == EXDEV) return Moved::unsupported;
    if (is_link && (cause == EPERM || cause == EMLINK)) return Moved::unsupported;
    fail("cannot move a file to", to, cause);
}

void remove_file(const fs::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("cannot remove", path, errno);
}

/// A name that must not outlive the attempt, unless it is kept.
class Temporary {
public:
    explicit Temporary(fs::path path) : path_(std::move(path)) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    void keep() { path_.clear(); }

private:
    fs::path path_;
};

}  // namespace

Moved rename_over(const fs::path& from, const fs::path& to) {
    return outcome(::rename(from.c_str(), to.c_str()), to);
}

Moved rename_no_replace(const fs::path& from, const fs::path& to) {
    return outcome(::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE), to);
}

Moved link_and_remove(const fs::path& from, const fs::path& to) {
    const auto linked = outcome(::link(from.c_str(), to.c_str()), to, true);
    if (linked == Moved::done) remove_file(from);
    return linked;
}

Moved reserve_and_rename(const fs::path& from, const fs::path& to) {
    if (const Descriptor reserved(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)); !reserved)
        return outcome(-1, to);
    Temporary reservation(to);
    const auto renamed = rename_over(from, to);
    if (renamed == Moved::done) reservation.keep();
    return renamed;
}

Moved move_within(const fs::path& from, const fs::path& to, bool replace) {
    if (replace) return rename_over(from, to);
    for (const auto way : {&rename_no_replace, &link_and_remove, &reserve_and_rename})
        if (const auto moved = way(from, to); moved != Moved::unsupported) return moved;
    return Moved::unsupported;
}

Moved move_across(const fs::path& from, const fs::path& to, bool replace, const std::function<bool()>& cancelled) {
    struct stat facts {};
    if (!replace && ::lstat(to.c_str(), &facts) == 0) return Moved::taken;
    const auto hidden = hidden_name(from, to);
    const Temporary copy(hidden);
    copy_file(from, hidden, cancelled);
    if (const auto moved = move_within(hidden, to, replace); moved != Moved::done) return moved;
    sync_folder(to.parent_path());
    remove_file(from);
    return Moved::done;
}

bool is_same_entry(const fs::path& one, const fs::path& other) {
    struct stat first {};
    struct stat second {};
    return one.filename() == other.filename() && ::stat(one.parent_path().c_str(), &first) == 0 &&
           ::stat(other.parent_path().c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bool is_same_file(const fs::path& one, const fs::path& other) {
    struct stat first {};
    struct stat second {};
    if (::stat(one.c_str(), &first) != 0 || ::stat(other.c_str(), &second) != 0) return false;
    if (first.st_dev == second.st_dev && first.st_ino == second.st_ino) return true;
    return first.st_size == second.st_size && first.st_mtim.tv_sec == second.st_mtim.tv_sec &&
           first.st_mtim.tv_nsec == second.st_mtim.tv_nsec && has_equal_contents(one, other);
}

void sync_folder(const fs::path& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor && errno == EACCES) return;  // a folder that may be written but not listed
    if (!descriptor) fail("cannot open folder", folder, errno);
    // Some network file systems cannot sync a folder; their names are safe without it.
    if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != EROFS) fail("cannot sync folder", folder, errno);
}

void make_folders(const fs::path& folder) {
    if (::mkdir(folder.c_str(), 0775) == 0) return sync_folder(folder.parent_path());
    const int cause = errno;
    if (cause == EEXIST || cause == EROFS) {
        std::error_code ignored;
        if (fs::is_directory(folder, ignored)) return;
        fail("cannot use as a folder", folder, cause == EEXIST ? ENOTDIR : cause);
    }
    if (cause != ENOENT || !folder.has_parent_path() || folder.parent_path() == folder)
        fail("cannot make folder", folder, cause);
    make_folders(folder.parent_path());
    if (::mkdir(folder.c_str(), 0775) != 0 && errno != EEXIST) fail("cannot make folder", folder, errno);
    sync_folder(folder.parent_path());
}

}  // namespace tapedeck::local
