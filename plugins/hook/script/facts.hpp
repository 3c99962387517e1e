// What a script learns besides its arguments: the facts of a recording or a client as TAPEDECK_* variables.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::script {

/// `NAME=value` lines for Command::environment. What is not known is empty; times are UNIX milliseconds.
std::vector<std::string> facts_of(const td_event& event, const std::filesystem::path& home);

/// The same of a client who asks to be admitted; its `password` and `token` are in TAPEDECK_PASSWORD and
/// TAPEDECK_TOKEN, other attributes in TAPEDECK_ATTRIBUTE_<NAME>.
std::vector<std::string> facts_of(const td_stream_info& client, const std::filesystem::path& home);

/// Text of clients and scripts as it may stand in a log line: control characters become `?`, at most `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace tapedeck::script
