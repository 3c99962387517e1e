#include "store/locks.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

int open_lock(const std::filesystem::path& folder) {
    std::error_code ignored;  // open says what is wrong
    std::filesystem::create_directories(folder, ignored);
    const int number = ::open((folder / "tapedeck.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (number < 0) throw_errno("lock of the folder " + folder.string(), errno);
    return number;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : file_(open_lock(folder)) {
    if (::flock(file_.number, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) throw_errno("lock of the folder " + folder.string(), errno);
        std::array<char, 32> text{};
        const ssize_t got = ::pread(file_.number, text.data(), text.size(), 0);
        std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        while (!holder.empty() && holder.back() == '\n') holder.pop_back();
        throw Error("the folder " + folder.string() + " is in use by the server with process id " +
                        (holder.empty() ? "unknown" : printable(holder)) + "; stop it or use another folder",
                    TD_EXISTS);
    }
    const std::string pid = std::to_string(::getpid()) + '\n';
    if (::ftruncate(file_.number, 0) != 0 ||
        ::pwrite(file_.number, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        throw_errno("lock of the folder " + folder.string(), errno);
    }
}

}  // namespace tapedeck::host
