#include "plugin/services.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "plugin/metrics_service.hpp"

namespace tapedeck::host {

Services::Services() {
    add(TD_METRICS, &metrics_service());
}

void Services::add(std::string id, const void* table) {
    const std::unique_lock lock(mutex_);
    if (!tables_.try_emplace(id, table).second) throw Error(fmt::format("service {} is there already", id), TD_EXISTS);
}

const void* Services::find(std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto found = tables_.find(id);
    return found == tables_.end() ? nullptr : found->second;
}

void Services::listening(std::string_view owner, std::string_view name, std::uint16_t port) {
    const std::unique_lock lock(mutex_);
    ports_[std::string(owner)][std::string(name)] = port;
}

void Services::silent(std::string_view owner) {
    const std::unique_lock lock(mutex_);
    if (const auto found = ports_.find(owner); found != ports_.end()) ports_.erase(found);
}

std::map<std::string, std::uint16_t> Services::ports() const {
    const std::shared_lock lock(mutex_);
    std::map<std::string, std::uint16_t> all;
    for (const auto& [owner, ports] : ports_) all.insert(ports.begin(), ports.end());
    return all;
}

}  // namespace tapedeck::host
