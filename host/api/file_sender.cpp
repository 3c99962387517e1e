#include "api/file_sender.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tapedeck::host::api {
namespace {

/// A connection that cannot be told sends as before.
void cork(const OpenFile& connection, int on) {
    ::setsockopt(connection.descriptor(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

}  // namespace

FullSegments::FullSegments(std::shared_ptr<const OpenFile> connection) : connection_(std::move(connection)) {
    cork(*connection_, 1);
}

FullSegments::~FullSegments() {
    cork(*connection_, 0);
}

SentSome send_some(const OpenFile& connection, const OpenFile& file, std::uint64_t at, std::uint64_t count) {
    SentSome sent;
    while (sent.bytes < count) {
        auto offset = static_cast<off_t>(at + sent.bytes);
        const ssize_t done = ::sendfile(connection.descriptor(), file.descriptor(), &offset,
                                        static_cast<std::size_t>(count - sent.bytes));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno == EAGAIN) break;
        sent.failed = done <= 0;
        if (sent.failed) break;
        sent.bytes += static_cast<std::uint64_t>(done);
    }
    return sent;
}

// cachestat(2), from Linux 6.5 on, which the headers of older systems do not know.
bool is_in_memory(const OpenFile& file, std::uint64_t at, std::uint64_t count) {
    if (!file.is_local()) return false;
    constexpr long cachestat_number = 451;  // on every architecture
    struct {
        std::uint64_t offset, length;
    } range{at, count};
    struct {
        std::uint64_t cached, dirty, written_back, evicted, recently_evicted;
    } pages{};
    const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t wanted = (at + count + size - 1) / size - at / size;
    return ::syscall(cachestat_number, file.descriptor(), &range, &pages, 0) == 0 && pages.cached >= wanted;
}

}  // namespace tapedeck::host::api
