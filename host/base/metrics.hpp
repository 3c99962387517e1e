// Counters and gauges, shown at /metrics in Prometheus' text format.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck::host::metrics {

/// A number that lives for ever. Changing it is one atomic operation; any thread.
using Value = std::atomic<std::int64_t>;

/// The metric of this name and label set (`reason="disk"`), made on first use. Names begin with `tapedeck_`. Any
/// thread.
Value& counter(std::string_view name, std::string_view labels, std::string_view help);
Value& gauge(std::string_view name, std::string_view labels, std::string_view help);

/// All of them, version 0.0.4 of the exposition format.
std::string render();

}  // namespace tapedeck::host::metrics
