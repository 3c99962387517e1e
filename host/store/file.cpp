#include "store/file.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/file_system.hpp"
#include "base/guarded.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece = 1u << 20;  // of a copy through memory, begun at its multiples

std::atomic<std::int64_t>& bytes_counter() {
    static auto& counter =
        metrics::counter("tapedeck_file_bytes_written_total", "", "Bytes handed to the system for files");
    return counter;
}

struct stat status_of(int number) {
    struct stat status {};
    if (::fstat(number, &status) != 0) throw_errno("fstat", errno);
    return status;
}

/// Whether the call is not possible for these two files, so that the next way is to be tried.
bool is_refusal(int error_number) {
    return error_number == EXDEV || error_number == EINVAL || error_number == EOPNOTSUPP || error_number == ENOSYS ||
           error_number == ENOTTY || error_number == EBADF || error_number == ETXTBSY || error_number == EPERM;
}

File& self(td_file* file) {
    return *static_cast<File*>(file);
}

const td_file_table file_table{
    .size = sizeof(td_file_table),
    .reserved = 0,
    .write = [](td_file* file, std::uint64_t at, const td_bytes* spans, std::size_t count,
                td_error* error) { return guarded(error, [&] { self(file).write(at, spans, count); }); },
    .read = [](td_file* file, std::uint64_t at, std::uint8_t* into, std::size_t size, std::size_t* got,
               td_error* error) { return guarded(error, [&] { *got = self(file).read(at, into, size); }); },
    .length = [](td_file* file, std::uint64_t* bytes,
                 td_error* error) { return guarded(error, [&] { *bytes = self(file).length(); }); },
    .truncate = [](td_file* file, std::uint64_t bytes,
                   td_error* error) { return guarded(error, [&] { self(file).truncate(bytes); }); },
    .insert = [](td_file* file, std::uint64_t at, std::uint64_t count,
                 td_error* error) { return guarded(error, [&] { self(file).insert(at, count); }); },
    .copy = [](td_file* file, std::uint64_t at, td_file* from, std::uint64_t from_at, std::uint64_t count,
               td_error* error) { return guarded(error, [&] { self(file).copy(at, self(from), from_at, count); }); },
    .sync = [](td_file* file, td_error* error) { return guarded(error, [&] { self(file).sync(); }); },
    .rewrite = [](td_file* file, td_file** fresh,
                  td_error* error) { return guarded(error, [&] { *fresh = &self(file).rewrite(); }); },
};

}  // namespace

void sync_folder(const fs::path& folder) {
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.number < 0 || ::fsync(opened.number) != 0) throw_errno("sync folder " + folder.string(), errno);
}

File::File(fs::path path, Mode mode) : td_file{&file_table}, path_(std::move(path)), target_(path_.parent_path()) {
    if (mode == Mode::Create) {
        std::error_code ignored;  // open says what is wrong
        fs::create_directories(path_.parent_path(), ignored);
    }
    const int flags = mode == Mode::Create ? O_RDWR | O_CREAT | O_EXCL : mode == Mode::Open ? O_RDWR : O_RDONLY;
    adopt(::open(path_.c_str(), flags | O_CLOEXEC, 0644), mode != Mode::Read);
}

File::~File() {
    if (fresh_ == nullptr) return;
    std::error_code ignored;  // the sweep at the next start deletes it too
    fs::remove(fresh_->path_, ignored);
}

void File::adopt(int number, bool lock) {
    if (number < 0) fail("open", errno);
    descriptor_ = std::make_shared<Descriptor>(number);
    // Two servers that share a folder must not recover each other's running recordings.
    if (lock && ::flock(number, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        throw Error("open " + path_.string() + ": another process is writing it", TD_EXISTS, true);
    }
    device_ = status_of(number).st_dev;
}

void File::fail(const char* what, int error_number) const {
    try {
        throw_errno(std::string(what) + ' ' + path_.string(), error_number);
    } catch (const Error& error) {
        const char* full = error.status() == TD_NO_SPACE ? "Not enough available disk space: " : "";
        // The same call may succeed when the disk is back, has space or is mounted writable again.
        const bool passes = error_number == ENOSPC || error_number == EDQUOT || error_number == EIO ||
                            error_number == EROFS || error_number == EACCES || error_number == ENOMEM;
        throw Error(full + std::string(error.what()), error.status(), passes);
    }
}

std::uint64_t File::length() const {
    return static_cast<std::uint64_t>(status_of(descriptor_->number).st_size);
}

void File::write(std::uint64_t at, const td_bytes* spans, std::size_t count) {
    descriptor_->dirty.store(true, std::memory_order_relaxed);
    SpanReader from(spans, count);
    if (const std::size_t first = direct_.lead(at, from.size()); first != from.size()) {
        at += write_cached(at, from, first);
        at += count_written(direct_.write(*descriptor_, at, from));
    }
    write_cached(at, from, from.size());
    if (reserve_) reserve_->grow(bytes_written());
}

/// Through the system's cache.
std::size_t File::write_cached(std::uint64_t at, SpanReader& from, std::size_t size) {
    const std::size_t all = size;
    while (size > 0) {
        std::array<iovec, 64> vectors{};
        const std::size_t filled = from.look(vectors, size);
        const ssize_t wrote =
            ::pwritev(descriptor_->number, vectors.data(), static_cast<int>(filled), static_cast<off_t>(at));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) fail("write", wrote < 0 ? errno : ENOSPC);
        const std::size_t step = count_written(static_cast<std::size_t>(wrote));
        from.skip(step);
        at += step;
        size -= step;
    }
    return all;
}

std::size_t File::count_written(std::size_t bytes) {
    written_.fetch_add(bytes, std::memory_order_relaxed);
    bytes_counter().fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    return bytes;
}

std::size_t File::read(std::uint64_t at, std::uint8_t* into, std::size_t size) const {
    std::size_t got = 0;
    while (got < size) {
        const ssize_t more = ::pread(descriptor_->number, into + got, size - got, static_cast<off_t>(at + got));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) fail("read", errno);
        if (more == 0) break;
        got += static_cast<std::size_t>(more);
    }
    return got;
}

void File::truncate(std::uint64_t bytes) {
    if (::ftruncate(descriptor_->number, static_cast<off_t>(bytes)) != 0) fail("truncate", errno);
    descriptor_->dirty.store(true, std::memory_order_relaxed);
}

void File::insert(std::uint64_t at, std::uint64_t count) {
    const auto blocks = static_cast<std::uint64_t>(status_of(descriptor_->number).st_blksize);
    if (at % blocks != 0 || count % blocks != 0) {
        throw Error("insert into " + path_.string() + ": not whole blocks of the file system", TD_UNSUPPORTED);
    }
    const bool is_free = places_->change([&] {
        const auto offset = static_cast<off_t>(at), length = static_cast<off_t>(count);
        if (::fallocate(descriptor_->number, FALLOC_FL_INSERT_RANGE, offset, length) == 0) return;
        if (is_refusal(errno)) throw Error("insert into " + path_.string() + ": not supported here", TD_UNSUPPORTED);
        fail("insert into", errno);
    });
    if (!is_free) throw Error("insert into " + path_.string() + ": it is being downloaded", TD_UNSUPPORTED);
    descriptor_->dirty.store(true, std::memory_order_relaxed);
}

void File::copy(std::uint64_t at, File& from, std::uint64_t from_at, std::uint64_t count) {
    const int out = descriptor_->number;
    const int in = from.descriptor_->number;
    if (from_at > from.length() || count > from.length() - from_at) {
        throw Error("copy from " + from.path_.string() + ": the range is beyond its end", TD_MALFORMED);
    }
    if (count == 0) return;
    descriptor_->dirty.store(true, std::memory_order_relaxed);
    const file_clone_range range{.src_fd = in, .src_offset = from_at, .src_length = count, .dest_offset = at};
    if (::ioctl(out, FICLONERANGE, &range) == 0) return;
    // A network may copy where the files lie. Here the system would copy too, but leave the copy in memory in small
    // pages, which costs more each time it is read.
    const bool is_far = file_system_of(out) == FileSystem::Other;
    while (is_far && count > 0) {
        auto source = static_cast<loff_t>(from_at);
        auto target = static_cast<loff_t>(at);
        const ssize_t done = ::copy_file_range(in, &source, out, &target, count, 0);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && !is_refusal(errno)) fail("copy to", errno);
        if (done <= 0) break;
        const std::size_t step = count_written(static_cast<std::size_t>(done));
        at += step;
        from_at += step;
        count -= step;
    }
    std::vector<std::uint8_t> memory(std::min<std::uint64_t>(count, piece));
    while (count > 0) {
        const std::uint64_t wanted = std::min<std::uint64_t>(count, piece - at % piece);
        const std::size_t got = from.read(from_at, memory.data(), static_cast<std::size_t>(wanted));
        if (got == 0) throw Error("copy from " + from.path_.string() + ": it became shorter", TD_MALFORMED);
        const td_bytes span{memory.data(), got};
        SpanReader bytes(&span, 1);
        write_cached(at, bytes, got);
        at += got;
        from_at += got;
        count -= got;
    }
}

void File::sync() {
    descriptor_->dirty.store(false, std::memory_order_relaxed);
    if (::fdatasync(descriptor_->number) != 0) fail("sync", errno);
}

fs::path File::rewrite_path(const fs::path& folder, const fs::path& file) {
    return folder / ('.' + file.filename().string() + ".rewrite");
}

File& File::rewrite() {
    const fs::path hidden = rewrite_path(target_, path_);
    std::error_code ignored;
    fs::remove(hidden, ignored);  // of an attempt before
    fresh_.reset();
    std::error_code unknown;
    const fs::space_info space = fs::space(target_, unknown);
    if (!unknown && space.available < length() + spare_) {
        throw Error("rewrite " + path_.string() + ": too little space for a second form of it", TD_NO_SPACE, true);
    }
    fresh_ = std::make_unique<File>(hidden, Mode::Create);
    return *fresh_;
}

void File::ensure_linked() {
    struct stat named {};
    const struct stat open = status_of(descriptor_->number);
    if (::stat(path_.c_str(), &named) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino) return;
    log::warning("{}: the file was removed while it was recorded; its content is saved to the same name",
                 path_.string());
    std::error_code ignored;
    fs::remove(path_, ignored);
    fs::create_directories(path_.parent_path(), ignored);  // the next line says what is wrong
    File saved(path_, Mode::Create);
    saved.copy(0, *this, 0, length());
    saved.sync();
    sync_folder(path_.parent_path());
    // The writer keeps this object, so the new file takes the place under the same number.
    if (::dup3(saved.descriptor_->number, descriptor_->number, O_CLOEXEC) < 0) fail("open", errno);
    direct_ = {};
    free_reserve();
    device_ = saved.device_;
    written_.fetch_add(saved.bytes_written(), std::memory_order_relaxed);
}

void File::commit() {
    if (fresh_ != nullptr && fresh_->length() == 0) {  // the writer went another way
        std::error_code ignored;
        fs::remove(fresh_->path_, ignored);
        fresh_.reset();
    }
    if (fresh_ == nullptr) {
        sync_folder(path_.parent_path());
        return;
    }
    fresh_->sync();
    const fs::path old = path_;
    const bool same = fresh_->device_ == device_;
    const fs::path final = same ? path_ : target_ / path_.filename();
    if (::rename(fresh_->path_.c_str(), final.c_str()) != 0) fail("rename the new form of", errno);
    sync_folder(final.parent_path());
    descriptor_ = fresh_->descriptor_;
    direct_ = {};
    device_ = fresh_->device_;
    written_.fetch_add(fresh_->bytes_written(), std::memory_order_relaxed);
    path_ = final;
    fresh_.reset();
    if (same) return;
    std::error_code ignored;  // recovery knows that both are one recording
    fs::remove(old, ignored);
}

}  // namespace tapedeck::host
