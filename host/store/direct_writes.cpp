#include "store/direct_writes.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <string>

namespace tapedeck::host {
namespace {

constexpr std::size_t block = 4096;              // of any disk in use; a larger one refuses the first write
constexpr std::size_t write_size = 1u << 20;     // of one call
constexpr std::size_t least_piece = 256u << 10;  // below it the cache costs less

struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
};

/// A thread writes one file at a time, so one piece of aligned memory serves all its files.
std::uint8_t* staging() {
    thread_local const std::unique_ptr<std::uint8_t, Free> memory(
        static_cast<std::uint8_t*>(std::aligned_alloc(block, write_size)));
    if (memory == nullptr) throw std::bad_alloc();
    return memory.get();
}

}  // namespace

std::size_t DirectWrites::lead(std::uint64_t at, std::size_t size) const {
    const std::size_t first = (block - at % block) % block;
    return is_refused_ || size < first + write_size ? size : first;
}

std::size_t DirectWrites::write(const Descriptor& file, std::uint64_t at, SpanReader& from) {
    if (opened_ == nullptr) {
        const std::string same = "/proc/self/fd/" + std::to_string(file.number);
        opened_ = std::make_unique<Descriptor>(::open(same.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
    }
    std::size_t done = 0;
    while (from.size() >= least_piece) {
        const std::size_t size = std::min(write_size, from.size() / block * block);
        SpanReader ahead = from;
        ahead.take(staging(), size);
        const ssize_t wrote = ::pwrite(opened_->number, staging(), size, static_cast<off_t>(at + done));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) is_refused_ = errno == EINVAL || errno == EBADF || errno == EOPNOTSUPP;
        if (wrote <= 0) break;
        from.skip(static_cast<std::size_t>(wrote));
        done += static_cast<std::size_t>(wrote);
        if (static_cast<std::size_t>(wrote) != size) break;
    }
    return done;
}

}  // namespace tapedeck::host
