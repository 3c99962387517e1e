// Whether a file is a plugin for this host, and what the operator reads if not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/facts.hpp"

namespace tapedeck::host {

struct Verdict {
    bool loads = false;
    std::string message;  ///< why it is refused: `x.so: built for SDK 2, this host speaks SDK 1`; else empty
    std::vector<std::string> warnings;  ///< of a file that loads
};

/// A pure function; the rows of the table "Versions" in the architecture. Without `facts.probe` it says whether the
/// file is worth a probe; with it the answer is final.
Verdict verdict(const Facts& facts, std::uint32_t host_major, std::uint32_t host_minor);

/// The line for an offered extension that this host has no kind for: `tapedeck.thing/2 x: not supported by this host`;
/// this host`; empty when it is supported.
std::string unsupported(const DescriptorFacts::Offer& offer);

}  // namespace tapedeck::host
