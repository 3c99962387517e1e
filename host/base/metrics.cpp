#include "base/metrics.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <mutex>

namespace tapedeck::host::metrics {
namespace {

struct Family {
    const char* type;
    std::string help;
    std::map<std::string, Value, std::less<>> values;  // by label set; nodes never move
};

std::mutex families_mutex;

std::map<std::string, Family, std::less<>>& families() {
    static auto& all = *new std::map<std::string, Family, std::less<>>;  // outlives every thread that counts
    return all;
}

Value& find(const char* type, std::string_view name, std::string_view labels, std::string_view help) {
    const std::lock_guard lock(families_mutex);
    auto family = families().find(name);
    if (family == families().end()) {
        family = families().try_emplace(std::string(name), Family{type, std::string(help), {}}).first;
    }
    auto value = family->second.values.find(labels);
    if (value == family->second.values.end()) value = family->second.values.try_emplace(std::string(labels), 0).first;
    return value->second;
}

}  // namespace

Value& counter(std::string_view name, std::string_view labels, std::string_view help) {
    return find("counter", name, labels, help);
}

Value& gauge(std::string_view name, std::string_view labels, std::string_view help) {
    return find("gauge", name, labels, help);
}

std::string render() {
    const std::lock_guard lock(families_mutex);
    std::string out;
    for (const auto& [name, family] : families()) {
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
        for (const auto& [labels, value] : family.values) {
            const char* open = labels.empty() ? "" : "{";
            const char* close = labels.empty() ? "" : "}";
            out += fmt::format("{}{}{}{} {}\n", name, open, labels, close, value.load(std::memory_order_relaxed));
        }
    }
    return out;
}

}  // namespace tapedeck::host::metrics
