#include "base/error.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace tapedeck::host {

void throw_errno(const std::string& what, int error_number) {
    td_status status = TD_FAILED;
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
            status = TD_NO_SPACE;
            break;
        case ENOENT:
            status = TD_NOT_FOUND;
            break;
        case EEXIST:
            status = TD_EXISTS;
            break;
        case EOPNOTSUPP:
        case ENOSYS:
        case ENOTTY:
            status = TD_UNSUPPORTED;
            break;
        case ENOMEM:
            status = TD_NO_MEMORY;
            break;
        default:
            break;
    }
    throw Error(what + ": " + std::generic_category().message(error_number), status, status == TD_NO_SPACE);
}

td_status fill(td_error* into, td_status status, const char* text, bool retryable) noexcept {
    if (into != nullptr) {
        into->status = status;
        into->retryable = retryable ? 1 : 0;
        std::snprintf(into->text, sizeof into->text, "%s", text);
    }
    return status;
}

}  // namespace tapedeck::host
