// What the host offers to plugins by id (`tapedeck.streams/1`), and the ports that protocols listen on.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// One per server; outlives every plugin's context. Thread-safe.
class Services {
public:
    /// Has metrics/1 from the start; the other parts of the host add theirs before protocols start.
    Services();
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    /// `table` starts with its `uint32_t size` and must live as long as this object. Throws when the id is taken.
    void add(std::string id, const void* table);
    /// Null where the host has none.
    const void* find(std::string_view id) const;

    /// A protocol listens: shown at /health under `name`. The same name of the same owner is replaced.
    void listening(std::string_view owner, std::string_view name, std::uint16_t port);
    /// The owner (`protocol.rtmp`) stopped; its ports are gone.
    void silent(std::string_view owner);
    /// name -> port, of everything that listens now.
    std::map<std::string, std::uint16_t> ports() const;

private:
    mutable std::shared_mutex mutex_;
    std::map<std::string, const void*, std::less<>> tables_;
    std::map<std::string, std::map<std::string, std::uint16_t>, std::less<>> ports_;  // by owner
};

}  // namespace tapedeck::host
