// Copies of files towards another file system.
#include "copy.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "descriptor.hpp"
#include "move.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::local {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece = 8 << 20;

Descriptor open_to_read(const fs::path& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!descriptor) fail("cannot read", path, errno);
    return descriptor;
}

/// At most `piece` bytes from where both stand, 0 at the end. By copy_file_range where the kernel offers it between
/// the two file systems (NFS, CIFS copy on the server), else by sendfile.
std::size_t copy_piece(int from, int to, bool& ranges, const fs::path& target) {
    for (;;) {
        const auto count =
            ranges ? ::copy_file_range(from, nullptr, to, nullptr, piece, 0) : ::sendfile(to, from, nullptr, piece);
        if (count > 0) return static_cast<std::size_t>(count);
        if (count == 0 && !ranges) return 0;
        // Some kernels answer 0 for files of special file systems that have bytes; sendfile then has the last word.
        if (count == 0 || (ranges && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))) {
            ranges = false;
            continue;
        }
        if (errno != EINTR) fail("cannot write", target, errno);
    }
}

std::size_t read_piece(int from, std::vector<char>& into, const fs::path& path) {
    std::size_t got = 0;
    while (got < into.size()) {
        const auto count = ::read(from, into.data() + got, into.size() - got);
        if (count < 0 && errno != EINTR) fail("cannot read", path, errno);
        if (count == 0) break;
        if (count > 0) got += static_cast<std::size_t>(count);
    }
    return got;
}

}  // namespace

fs::path hidden_name(const fs::path& from, const fs::path& to) {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a, 64 bit
    for (const char c : from.native() + '\n' + to.native())
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), ".%016llx.copy", static_cast<unsigned long long>(hash));
    return to.parent_path() / name.data();
}

void copy_file(const fs::path& from, const fs::path& to, const std::function<bool()>& cancelled) {
    const auto source = open_to_read(from);
    struct stat facts {};
    if (::fstat(source.get(), &facts) != 0) fail("cannot read", from, errno);
    const Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target) fail("cannot write", to, errno);
    bool ranges = true;
    std::uint64_t copied = 0;
    while (const auto count = copy_piece(source.get(), target.get(), ranges, to)) {
        copied += count;
        if (cancelled())
            throw Error(TD_CANCELLED,
                        "the copy of " + from.string() + " was stopped after " + std::to_string(copied) + " bytes",
                        true);
    }
    if (copied != static_cast<std::uint64_t>(facts.st_size))
        throw Error(TD_FAILED, from.string() + " changed its size while it was copied", true);
    // Rights and times are kept where the file system has them.
    const std::array times{facts.st_atim, facts.st_mtim};
    ::fchmod(target.get(), facts.st_mode & 0777);
    ::futimens(target.get(), times.data());
    if (::fsync(target.get()) != 0) fail("cannot sync", to, errno);
}

bool has_equal_contents(const fs::path& one, const fs::path& other) {
    const auto first = open_to_read(one);
    const auto second = open_to_read(other);
    std::vector<char> left(1 << 20);
    std::vector<char> right(left.size());
    for (;;) {
        const auto size = read_piece(first.get(), left, one);
        if (read_piece(second.get(), right, other) != size) return false;
        if (std::memcmp(left.data(), right.data(), size) != 0) return false;
        if (size < left.size()) return true;
    }
}

}  // namespace tapedeck::local
