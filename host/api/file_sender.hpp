// A file's bytes into a connection by the kernel alone, on a thread that may wait for the disk.
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

/// Sends from `at` on until the connection takes no more for now, `count` bytes are sent or some megabytes are.
/// `connection` does not block. [blocking] for the disk, never for the client.
SentSome send_some(const OpenFile& connection, const OpenFile& file, std::uint64_t at, std::uint64_t count);

}  // namespace tapedeck::host::api
