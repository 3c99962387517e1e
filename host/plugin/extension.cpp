#include "plugin/extension.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.hpp"

namespace tapedeck::host {

std::string_view kind_of_interface(std::string_view interface_id) {
    constexpr std::array supported{TD_KIND_PROTOCOL, TD_KIND_TRANSFORM, TD_KIND_WRITER, TD_KIND_READER,
                                   TD_KIND_NAMING,   TD_KIND_STORAGE,   TD_KIND_HOOK};
    for (const std::string_view known : supported) {
        if (known != interface_id) continue;
        const auto start = known.find('.') + 1;
        return known.substr(start, known.find('/') - start);
    }
    return {};
}

td_error empty_error() {
    td_error error{};
    error.size = sizeof error;
    return error;
}

td_status check(const Extension& extension, std::string_view call, td_status status, const td_error& error) {
    if (status >= 0) return status;
    std::string text = printable({error.text, strnlen(error.text, sizeof error.text)}, sizeof error.text);
    if (text.empty()) text = fmt::format("failed with status {} and without a reason", status);
    throw Error(fmt::format("{} {}: {}: {}", extension.kind, extension.id, call, text), status, error.retryable != 0);
}

}  // namespace tapedeck::host
