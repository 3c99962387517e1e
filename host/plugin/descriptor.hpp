// What a loaded plugin says of itself, checked.
#pragma once

#include "plugin/facts.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Copies the descriptor found under the entry symbol of SDK `entry_major`. Throws Error saying what is wrong with it:
/// a text missing, an id that cannot be written in configuration, a table without a function that its kind must have.
/// The parts that this host does not know (other kinds) are listed by interface and id only.
DescriptorFacts describe(const td_plugin& plugin, std::uint32_t entry_major);

}  // namespace tapedeck::host
