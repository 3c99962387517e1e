// One POST over http or https.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "url.hpp"

namespace tapedeck::webhook {

struct Post {
    const Url& url;
    std::vector<std::string> headers;  ///< `Name: value`
    const std::string& body;
    std::chrono::milliseconds limit;  ///< from the look-up of the name to the end of the answer
    std::filesystem::path ca_file;    ///< the only authorities that are trusted; empty: the system's
};

/// Blocks until the whole answer is there and gives its status, such as 200; the answer itself is thrown away.
/// Redirections are not followed. `cancelled` is asked about once a second. Throws Error, retryable, that names the
/// origin: TD_TIMEOUT, TD_CANCELLED, else TD_FAILED: not reached, or its certificate is not trusted. Thread-safe.
long send(const Post& post, const std::function<bool()>& cancelled);

}  // namespace tapedeck::webhook
