// Bytes from one of the host's files to another.
#pragma once

#include <cstdint>

#include "tapedeck/file.hpp"

namespace tapedeck::mp4 {

/// By what the host offers, else by reading and writing. Throws what the files throw, and Error when `from` ends early.
void copy_bytes(File from, std::uint64_t from_at, File to, std::uint64_t at, std::uint64_t count);

}  // namespace tapedeck::mp4
