// The host's functions behind the C boundary.
#pragma once

#include <exception>
#include <new>

#include "base/error.hpp"

namespace tapedeck::host {

/// Runs `body`; what it throws goes into `error` (may be null), and its status comes back.
template <class Body>
td_status guarded(td_error* error, Body body) noexcept {
    try {
        body();
        return TD_OK;
    } catch (const Error& failed) {
        return fill(error, failed.status(), failed.what(), failed.retryable());
    } catch (const std::bad_alloc&) {
        return fill(error, TD_NO_MEMORY, "out of memory", true);
    } catch (const std::exception& failed) {
        return fill(error, TD_FAILED, failed.what());
    }
}

}  // namespace tapedeck::host
