#include "plugin/host_table.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "config/options.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/buffer.hpp"
#include "plugin/context.hpp"
#include "plugin/services.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t longest_line = 4096;

void write_log(const td_context* context, std::int32_t level, td_text line) {
    const auto known = level <= TD_LOG_DEBUG     ? log::Level::Debug
                       : level == TD_LOG_INFO    ? log::Level::Info
                       : level == TD_LOG_WARNING ? log::Level::Warning
                                                 : log::Level::Error;
    try {
        const std::string text = printable(view(line), longest_line);
        log::write(known, context == nullptr ? text : fmt::format("{}: {}", context->name, text));
    } catch (const std::exception&) {
        log::write(log::Level::Error, "a plugin's line was lost: memory is short");
    }
}

bool is_number(std::uint32_t type) {
    return type == TD_INTEGER || type == TD_BOOLEAN || type == TD_SIZE || type == TD_DURATION;
}

/// Hands the setting's value to `take`; a plugin that asks for what it has not declared is told. Of every setting there
/// is a text, as it was written, but not of every one a number.
template <class Take>
td_status option(const td_context* context, const td_options* options, td_text key, bool number, Take take) noexcept {
    if (context == nullptr) return TD_NOT_FOUND;
    try {
        const auto value = context->settings.find(view(key), options);
        if (!value) {
            log::error("{}: asks for the setting '{}', which it does not declare", context->name, printable(view(key)));
            return TD_NOT_FOUND;
        }
        if (number && !is_number(value->type)) {
            log::error("{}: asks for the setting '{}' as a number, which it is not", context->name,
                       printable(view(key)));
            return TD_UNSUPPORTED;
        }
        take(*value);
        return value->is_set ? TD_OK : TD_DEFAULT;
    } catch (const std::exception&) {
        return TD_FAILED;
    }
}

td_status option_int(const td_context* context, const td_options* options, td_text key, std::int64_t* value) {
    return option(context, options, key, true, [value](const Value& found) { *value = found.number; });
}

td_status option_text(const td_context* context, const td_options* options, td_text key, td_text* value) {
    // Values are interned: the text is valid for ever.
    return option(context, options, key, false, [value](const Value& found) { *value = text_of(found.text); });
}

std::int32_t cancelled(const td_context*) {
    return BlockingCall::cancelled() ? 1 : 0;
}

const void* service(const td_context* context, td_text id) {
    return context == nullptr ? nullptr : context->services.find(view(id));
}

void listening(const td_context* context, td_text name, std::uint16_t port) {
    if (context == nullptr) return;
    try {
        context->services.listening(context->name, printable(view(name), 64), port);
    } catch (const std::exception&) {
        log::write(log::Level::Error, "a port cannot be shown at /health: memory is short");
    }
}

constexpr td_host table{.size = sizeof(td_host),
                        .sdk_major = TD_SDK_MAJOR,
                        .sdk_minor = TD_SDK_MINOR,
                        .reserved = 0,
                        .log = write_log,
                        .option_int = option_int,
                        .option_text = option_text,
                        .buffer_new = buffer_new,
                        .buffer_ref = buffer_ref,
                        .buffer_unref = buffer_unref,
                        .cancelled = cancelled,
                        .service = service,
                        .listening = listening};

}  // namespace

const td_host& host_table() {
    return table;
}

}  // namespace tapedeck::host
