// Which packets make a part of a file.
#pragma once

#include <cstdint>
#include <optional>

#include "program.hpp"

namespace tapedeck::ts {

/// A part in the order of its bytes: tables and the packets of its first units, then the source's own from one position
/// to another, then the rest of units that end behind it.
struct Cut {
    Bytes front;
    std::uint64_t from = 0, to = 0;  ///< in the source
    Bytes back;
};

/// Times are ticks of 90 kHz from the file's start. The part begins with the key picture that is shown at `from` or
/// before it, and with the sound of the same time, at most 0.1 s earlier. It ends before the first picture that is
/// decoded at `to`. Times, clock and counters stay what they are in the file. Throws Error TD_NOT_FOUND when `from` is
/// not within the file or `to` more than a second behind it.
Cut plan_cut(Program& program, std::int64_t from, std::optional<std::int64_t> to);

}  // namespace tapedeck::ts
