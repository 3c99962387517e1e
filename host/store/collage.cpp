#include "store/collage.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>

#include "base/at_once.hpp"
#include "base/error.hpp"
#include "base/guarded.hpp"

namespace tapedeck::host {
namespace {

std::shared_ptr<const api::OpenFile> opened(int descriptor, const char* what) {
    if (descriptor < 0) throw_errno(what, errno);
    return std::make_shared<const api::OpenFile>(descriptor, is_local(descriptor));
}

Collage& collage_of(td_file* file) {
    return *static_cast<Collage*>(file);
}

td_status refuse(td_error* error, const char* what) {
    return guarded(error, [&] { throw Error(std::string(what) + ": a part is only written", TD_UNSUPPORTED); });
}

const td_file_table collage_table{
    .size = sizeof(td_file_table),
    .reserved = 0,
    .write = [](td_file* file, std::uint64_t at, const td_bytes* spans, std::size_t count,
                td_error* error) { return guarded(error, [&] { collage_of(file).write(at, spans, count); }); },
    .read = [](td_file* file, std::uint64_t at, std::uint8_t* into, std::size_t size, std::size_t* got,
               td_error* error) { return guarded(error, [&] { *got = collage_of(file).read(at, into, size); }); },
    .length = [](td_file* file, std::uint64_t* bytes,
                 td_error* error) { return guarded(error, [&] { *bytes = collage_of(file).length(); }); },
    .truncate = [](td_file*, std::uint64_t, td_error* error) { return refuse(error, "truncate"); },
    .insert = [](td_file*, std::uint64_t, std::uint64_t, td_error* error) { return refuse(error, "insert"); },
    .copy = [](td_file* file, std::uint64_t at, td_file* from, std::uint64_t from_at, std::uint64_t count,
               td_error* error) { return guarded(error, [&] { collage_of(file).copy(at, from, from_at, count); }); },
    .sync = [](td_file*, td_error*) -> td_status { return TD_OK; },
    .rewrite = [](td_file*, td_file**, td_error* error) { return refuse(error, "rewrite"); },
};

}  // namespace

Collage::Collage(const File& source)
    : td_file{&collage_table},
      source_(source),
      memory_(opened(::memfd_create("part", MFD_CLOEXEC), "memfd_create")),
      media_(opened(::fcntl(source.descriptor()->number, F_DUPFD_CLOEXEC, 0), "dup")) {}

void Collage::write(std::uint64_t at, const td_bytes* spans, std::size_t count) {
    if (at > length_) throw Error("a part is written from its front to its end", TD_UNSUPPORTED);
    for (const td_bytes& bytes : std::span(spans, count)) {
        const std::uint64_t known = std::min<std::uint64_t>(length_ - at, bytes.size);
        overwrite(at, {bytes.data, static_cast<std::size_t>(known)});
        append({bytes.data + known, static_cast<std::size_t>(bytes.size - known)});
        at += bytes.size;
    }
}

void Collage::append(const td_bytes& bytes) {
    if (bytes.size == 0) return;
    if (bytes.size > most_memory - in_memory_) throw Error("the part's index takes too much memory", TD_UNSUPPORTED);
    for (std::size_t done = 0; done < bytes.size;) {
        const ssize_t wrote = ::pwrite(memory_->descriptor(), bytes.data + done, bytes.size - done,
                                       static_cast<off_t>(in_memory_ + done));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) throw_errno("write to memory", wrote < 0 ? errno : ENOSPC);
        done += static_cast<std::size_t>(wrote);
    }
    add(memory_, in_memory_, bytes.size);
    in_memory_ += bytes.size;
}

void Collage::overwrite(std::uint64_t at, const td_bytes& bytes) {
    std::uint64_t begin = 0;
    for (const api::FilePart& part : parts_) {
        const std::uint64_t first = std::max(at, begin), end = std::min(at + bytes.size, begin + part.count);
        if (first < end) {
            if (part.file != memory_) throw Error("what was copied into a part stays as it is", TD_UNSUPPORTED);
            const auto count = static_cast<std::size_t>(end - first);
            if (::pwrite(memory_->descriptor(), bytes.data + (first - at), count,
                         static_cast<off_t>(part.first + (first - begin))) != static_cast<ssize_t>(count))
                throw_errno("write to memory", errno);
        }
        begin += part.count;
    }
}

std::size_t Collage::read(std::uint64_t at, std::uint8_t* into, std::size_t size) const {
    std::size_t got = 0;
    std::uint64_t begin = 0;
    for (const api::FilePart& part : parts_) {
        const std::uint64_t end = std::min(at + size, begin + part.count);
        while (at + got < end) {
            const std::uint64_t now = at + got;
            const ssize_t more = ::pread(part.file->descriptor(), into + got, static_cast<std::size_t>(end - now),
                                         static_cast<off_t>(part.first + (now - begin)));
            if (more < 0 && errno == EINTR) continue;
            if (more < 0) throw_errno("read", errno);
            if (more == 0) return got;
            got += static_cast<std::size_t>(more);
        }
        begin += part.count;
    }
    return got;
}

void Collage::copy(std::uint64_t at, const td_file* from, std::uint64_t from_at, std::uint64_t count) {
    if (from != &source_) throw Error("a part is copied from its recording alone", TD_UNSUPPORTED);
    if (at != length_) throw Error("a part is written from its front to its end", TD_UNSUPPORTED);
    const std::uint64_t size = source_.length();
    if (from_at > size || count > size - from_at)
        throw Error("copy from " + source_.path().string() + ": the range is beyond its end", TD_MALFORMED);
    if (count != 0) add(media_, from_at, count);
}

void Collage::add(const std::shared_ptr<const api::OpenFile>& file, std::uint64_t first, std::uint64_t count) {
    length_ += count;
    if (!parts_.empty() && parts_.back().file == file && parts_.back().first + parts_.back().count == first) {
        parts_.back().count += count;
    } else {
        parts_.push_back({file, first, count});
    }
}

}  // namespace tapedeck::host
