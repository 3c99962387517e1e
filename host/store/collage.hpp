// A file that exists only as a list: bytes in memory and ranges of one other file.
#pragma once

#include <cstdint>

#include "api/message.hpp"
#include "store/file.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// The td_file that a reader writes a part into which is to be sent at once and not kept: what it copies from the
/// recording is not copied. It is written from its front to its end; what is in memory may be written again. Not
/// thread-safe; what it gives lives on its own.
class Collage : public td_file {
public:
    /// More than this is not kept in memory: an index takes some megabytes for each hour.
    static constexpr std::uint64_t most_memory = 128 << 20;

    /// `source` is the only file that can be copied from; borrowed.
    explicit Collage(const File& source);
    Collage(const Collage&) = delete;
    Collage& operator=(const Collage&) = delete;

    /// All of it, as a body to send.
    const api::FileParts& parts() const { return parts_; }
    /// Bytes in memory.
    std::uint64_t memory() const { return in_memory_; }
    std::uint64_t length() const { return length_; }

    void write(std::uint64_t at, const td_bytes* spans, std::size_t count);
    std::size_t read(std::uint64_t at, std::uint8_t* into, std::size_t size) const;
    void copy(std::uint64_t at, const td_file* from, std::uint64_t from_at, std::uint64_t count);

private:
    void append(const td_bytes& bytes);
    void overwrite(std::uint64_t at, const td_bytes& bytes);
    void add(const std::shared_ptr<const api::OpenFile>& file, std::uint64_t first, std::uint64_t count);

    const File& source_;
    const std::shared_ptr<const api::OpenFile> memory_, media_;
    api::FileParts parts_;
    std::uint64_t length_ = 0, in_memory_ = 0;
};

}  // namespace tapedeck::host
