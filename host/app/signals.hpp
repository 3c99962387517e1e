// SIGTERM, SIGINT and SIGHUP as values for the control thread.
#pragma once

namespace tapedeck::host {

/// Blocks the three signals in the calling thread and all that it starts later; ignores SIGPIPE. Once, before any other
/// thread exists.
void hold_signals();

enum class Signal { Stop, Reload };
/// Waits for the next one.
Signal wait_for_signal();

}  // namespace tapedeck::host
