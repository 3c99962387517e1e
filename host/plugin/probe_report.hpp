// The child's report to the host about one plugin file, as bytes through a pipe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/facts.hpp"

namespace tapedeck::host {

/// Pairs of name and value, each as `<length>:<bytes>`, the last one named `end`.
std::string encode_report(const ProbeOutcome& outcome);

/// Nothing when the bytes are not one whole report: the child died while it wrote, or the plugin wrote into the pipe.
std::optional<ProbeOutcome> decode_report(std::string_view bytes);

/// More is not read from a child.
inline constexpr std::size_t longest_report = std::size_t{4} << 20;

}  // namespace tapedeck::host
