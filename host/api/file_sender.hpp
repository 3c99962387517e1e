// A file's bytes into a connection by the kernel alone.
#pragma once

#include <cstdint>
#include <memory>

#include "api/message.hpp"

namespace tapedeck::host::api {

/// What one call of `send_some` came to.
struct SentSome {
    std::uint64_t bytes = 0;
    bool failed = false;  ///< the client has gone, or the file became shorter
};

/// Some megabytes: after so much, another client's turn has come.
inline constexpr std::uint64_t sent_at_once = 2 << 20;

/// While it lives, the connection sends full segments only (TCP_CORK): otherwise each 64 KB that the kernel takes from
/// a file end in a small one, which wakes the client once more.
class FullSegments {
public:
    explicit FullSegments(std::shared_ptr<const OpenFile> connection);
    FullSegments(const FullSegments&) = delete;
    FullSegments& operator=(const FullSegments&) = delete;
    /// What is left goes out.
    ~FullSegments();

private:
    const std::shared_ptr<const OpenFile> connection_;
};

/// Sends from `at` on until the connection takes no more for now or `count` bytes are sent. `connection` does not
/// block. Waits for the disk where the file is not in memory, never for the client.
SentSome send_some(const OpenFile& connection, const OpenFile& file, std::uint64_t at, std::uint64_t count);

/// Whether these bytes are in memory, so that sending them waits for no disk. False where the system
/// cannot tell.
bool is_in_memory(const OpenFile& file, std::uint64_t at, std::uint64_t count);

}  // namespace tapedeck::host::api
