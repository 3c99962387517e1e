// Counted blocks of memory for packet payloads; the host's side of td_buffer.
#pragma once

#include <cstddef>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// No socket read and no access unit is larger; a plugin that asks for more gets null.
inline constexpr std::size_t largest_buffer = std::size_t{64} << 20;

/// A block with at least `capacity` bytes and one reference, or null when memory is short. Blocks of 4 KiB to 1 MiB
/// come from short lists of used ones, so a socket that is read over and over does not go to the system each time. Any
/// thread. `tapedeck_buffer_bytes` counts what is in use, `tapedeck_buffer_idle_bytes` what the lists hold.
td_buffer* buffer_new(std::size_t capacity) noexcept;

/// One atomic operation each, no lock; the last `unref` gives the block back. Null is allowed. Any thread.
void buffer_ref(td_buffer* buffer) noexcept;
void buffer_unref(td_buffer* buffer) noexcept;

}  // namespace tapedeck::host
