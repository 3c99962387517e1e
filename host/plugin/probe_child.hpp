// What the probing child and the host that started it agree on.
#pragma once

namespace tapedeck::host {

/// The child writes its report there.
inline constexpr int probe_report_fd = 3;
/// Set in the environment of a child that was started by `probe`; without it the outcome is printed for a person.
inline constexpr const char* probe_report_variable = "TAPEDECK_PROBE_REPORT";

}  // namespace tapedeck::host
