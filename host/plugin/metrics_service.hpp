// tapedeck.metrics/1: plugins count in the host's metrics.
#pragma once

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Names get the prefix `tapedeck_` where it is missing. For a name or label set that Prometheus would refuse,
/// `counter` and `gauge` give null, which `add` and `set` ignore. Any thread.
const td_metrics& metrics_service();

}  // namespace tapedeck::host
