// The service tapedeck.metrics/1 of a FakeHost: numbers by name and labels, for the whole process.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "tapedeck/abi.h"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

/// The service has no context, so its numbers are the process's; each FakeHost sets them to zero when it is made.
class FakeMetrics {
public:
    static const td_metrics& table() {
        static constexpr td_metrics metrics{
            sizeof(td_metrics),
            0,
            [](td_text name, td_text labels, td_text) { return find(string_of(name), string_of(labels)); },
            [](void* counter, std::int64_t by) { static_cast<std::atomic<std::int64_t>*>(counter)->fetch_add(by); },
            [](td_text name, td_text labels, td_text) { return find(string_of(name), string_of(labels)); },
            [](void* gauge, std::int64_t value) { static_cast<std::atomic<std::int64_t>*>(gauge)->store(value); }};
        return metrics;
    }
    static std::int64_t value(std::string_view name, std::string_view labels = "") {
        return static_cast<std::atomic<std::int64_t>*>(find(name, labels))->load();
    }
    static void reset() {
        auto& all = store();
        const std::lock_guard lock(all.mutex);
        for (auto& [name, number] : all.numbers) number = 0;
    }

private:
    struct Store {
        std::mutex mutex;
        std::map<std::pair<std::string, std::string>, std::atomic<std::int64_t>> numbers;
    };
    static Store& store() {
        static Store all;
        return all;
    }
    static void* find(std::string_view name, std::string_view labels) {
        auto& all = store();
        const std::lock_guard lock(all.mutex);
        return &all.numbers[{std::string(name), std::string(labels)}];
    }
};

}  // namespace tapedeck::testkit
