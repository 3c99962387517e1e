// A file being written, finished or recovered: the td_file of real files.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "store/descriptor.hpp"
#include "store/direct_writes.hpp"
#include "store/places.hpp"
#include "store/reserve.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// One call at a time, as the writer that has it, but for what is marked [any]. Failures of the disk are retryable; a
/// full one is TD_NO_SPACE. Closing keeps the file.
class File : public td_file {
public:
    /// Create makes a new file and fails with TD_EXISTS. Read changes nothing and takes no lock.
    enum class Mode { Create, Open, Read };

    /// Folders above it are made. Throws Error.
    File(std::filesystem::path path, Mode mode);
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    /// An uncommitted rewrite is deleted.
    ~File();

    /// Where it lies; another place after `commit` of a rewrite on another file system.
    const std::filesystem::path& path() const { return path_; }
    std::uint64_t length() const;
    /// All bytes handed to the system for this file and its rewrite, counted for the metric too. [any]
    std::uint64_t bytes_written() const { return written_.load(std::memory_order_relaxed); }
    /// Which file system it is on (st_dev).
    std::uint64_t device() const { return device_; }
    std::shared_ptr<Descriptor> descriptor() const { return descriptor_; }

    /// The folder in which `rewrite` opens its file: the one where the file will end. Default: the file's own folder.
    void set_target(std::filesystem::path folder) { target_ = std::move(folder); }
    /// For who reads it meanwhile: while they hold the bytes, `insert` answers TD_UNSUPPORTED. [any]
    std::shared_ptr<Places> places() const { return places_; }

    /// From now on blocks of the disk are kept for the steps of finishing, so that a disk that runs full has room for
    /// the file's index.
    void keep_reserve() { reserve_.emplace(path_.parent_path()); }
    /// Gives them back; before `finish`.
    void free_reserve() { reserve_.reset(); }

    /// Makes sure that `path()` leads to this file: when its folder or name was removed under it, the content is copied
    /// to a new file there. Throws Error.
    void ensure_linked();
    /// After `finish`: syncs the folder and, when the writer made a rewrite, puts it in this file's place: the same
    /// path, or the target folder with the same file name. Afterwards `path()` is the whole file. Throws Error.
    void commit();

    /// The rewrite's hidden name beside `path`; leftovers of a kill are deleted by it.
    static std::filesystem::path rewrite_path(const std::filesystem::path& folder, const std::filesystem::path& file);

    void write(std::uint64_t at, const td_bytes* spans, std::size_t count);
    std::size_t read(std::uint64_t at, std::uint8_t* into, std::size_t size) const;
    void truncate(std::uint64_t bytes);
    void insert(std::uint64_t at, std::uint64_t count);
    void copy(std::uint64_t at, File& from, std::uint64_t from_at, std::uint64_t count);
    void sync();
    /// NoSpace where less than `set_spare` would remain beside a second form of the file.
    File& rewrite();
    /// What rewriting must leave free for other recordings, in bytes.
    void set_spare(std::uint64_t bytes) { spare_ = bytes; }

private:
    [[noreturn]] void fail(const char* what, int error_number) const;
    void adopt(int number, bool lock);
    std::size_t write_cached(std::uint64_t at, SpanReader& from, std::size_t size);
    std::size_t count_written(std::size_t bytes);

    std::filesystem::path path_, target_;
    std::shared_ptr<Descriptor> descriptor_;
    DirectWrites direct_;
    std::uint64_t device_ = 0;
    std::unique_ptr<File> fresh_;
    std::atomic<std::uint64_t> written_ = 0;
    const std::shared_ptr<Places> places_ = std::make_shared<Places>();
    std::optional<Reserve> reserve_;
    std::uint64_t spare_ = 0;
};

/// Makes names in `folder` durable. A folder that cannot be opened is an Error.
void sync_folder(const std::filesystem::path& folder);

}  // namespace tapedeck::host
