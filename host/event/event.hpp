// One thing that happened to a recording, as hooks are told.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// A value.
struct Event {
    std::int32_t kind = 0;  ///< TD_RECORD_*
    std::string id;         ///< the same in every attempt, also after a restart
    /// What lies behind the pointer also owns the texts.
    std::shared_ptr<const td_recording> recording;
    std::string detail;  ///< why, for TD_RECORD_FAILED
};

}  // namespace tapedeck::host
