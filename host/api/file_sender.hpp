// A file's bytes into a connection by the kernel alone.
#pragma once

#include <cstdint>

#include "api/message.hpp"

namespace tapedeck::host::api {

/// What one call of `send_some` came to.
struct SentSome {
    std::uint64_t bytes = 0;
    bool failed = false;  ///< the client has gone, or the file became shorter
};

/// Some megabytes: after so much, another client's turn has come.
inline constexpr std::uint64_t sent_at_once = 2 << 20;

/// Sends from `at` on until the connection takes no more for now or `count` bytes are sent. `connection` does not
/// block. Waits for the disk where the file is not in memory, never for the client.
SentSome send_some(const OpenFile& connection, const OpenFile& file, std::uint64_t at, std::uint64_t count);

/// Whether these bytes are in memory, so that sending them waits for no disk. False where the system
/// cannot tell.
bool is_in_memory(const OpenFile& file, std::uint64_t at, std::uint64_t count);

}  // namespace tapedeck::host::api
