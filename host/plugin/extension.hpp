// One thing that a loaded plugin offers: a writer, a protocol, a hook, ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Lives for ever, as the plugin's code does; never changes once the registry has handed it out. Any thread.
struct Extension {
    std::string kind;                        ///< `writer`
    std::string id;                          ///< `mp4`
    const td_extension* declared = nullptr;  ///< constant data of the plugin
    const td_plugin* plugin = nullptr;       ///< may be shorter than this host's td_plugin: read by `size`
    std::filesystem::path file;              ///< absolute
    const td_context* context = nullptr;     ///< what the plugin's functions are called with; never null

    /// `writer.mp4`, as configuration and log write it.
    std::string name() const { return kind + '.' + id; }
};

/// `tapedeck.writer/1` -> `writer`; empty when this host does not support the interface.
std::string_view kind_of_interface(std::string_view interface_id);

/// The function (or other member) of a plugin's table, or null where the plugin's SDK was older and the table is
/// shorter.
template <class Table, class Member>
Member offered(const Table* table, Member Table::*which) {
    const auto* start = reinterpret_cast<const std::byte*>(table);
    const auto* end = reinterpret_cast<const std::byte*>(&(table->*which) + 1);
    return static_cast<std::size_t>(end - start) <= table->size ? table->*which : Member{};
}

/// An empty td_error as every call that can fail wants it.
td_error empty_error();

/// Throws Error("writer mp4: open: <text>") when `status` is negative; else gives it back (TD_OK, TD_DEFAULT,
/// TD_AGAIN).
td_status check(const Extension& extension, std::string_view call, td_status status, const td_error& error);

}  // namespace tapedeck::host
