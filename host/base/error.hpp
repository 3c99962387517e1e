// What breaks an operation: the thing, the value, the way out.
#pragma once

#include <stdexcept>
#include <string>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Thrown by the host's code. Each level adds what it knows: `throw Error("segment 3 of cam1", cause)`.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& text, td_status status = TD_FAILED, bool retryable = false)
        : std::runtime_error(text), status_(status), retryable_(retryable) {}
    Error(const std::string& context, const Error& cause)
        : Error(context + ": " + cause.what(), cause.status_, cause.retryable_) {}

    td_status status() const { return status_; }
    /// Whether the same call may succeed later.
    bool retryable() const { return retryable_; }

private:
    td_status status_;
    bool retryable_;
};

/// `<what>: <text of errno>` with the status that fits: TD_NO_SPACE, TD_NOT_FOUND, TD_EXISTS, TD_UNSUPPORTED or
/// TD_FAILED.
[[noreturn]] void throw_errno(const std::string& what, int error_number);

/// Copies into the caller's td_error (may be null) and gives its status.
td_status fill(td_error* into, td_status status, const char* text, bool retryable = false) noexcept;

}  // namespace tapedeck::host
