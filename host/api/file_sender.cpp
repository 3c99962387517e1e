#include "api/file_sender.hpp"

#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>

namespace tapedeck::host::api {

SentSome send_some(const OpenFile& connection, const OpenFile& file, std::uint64_t at, std::uint64_t count) {
    constexpr std::uint64_t at_once = 8 << 20;  // then another client's job may run
    SentSome sent;
    count = std::min(count, at_once);
    while (sent.bytes < count) {
        auto offset = static_cast<off_t>(at + sent.bytes);
        const ssize_t done = ::sendfile(connection.descriptor(), file.descriptor(), &offset,
                                        static_cast<std::size_t>(count - sent.bytes));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        sent.failed = done <= 0;
        if (sent.failed) break;
        sent.bytes += static_cast<std::uint64_t>(done);
    }
    return sent;
}

}  // namespace tapedeck::host::api
