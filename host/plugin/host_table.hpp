// The td_host that every plugin is given: log, settings, buffers, cancellation, services.
#pragma once

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// One constant table for all plugins; whose call it is, is in the td_context. Its functions never throw. Any thread.
const td_host& host_table();

}  // namespace tapedeck::host
