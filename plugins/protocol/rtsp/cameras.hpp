// conf/cameras.yaml: cameras that are pulled from the start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pull.hpp"

namespace tapedeck::rtsp {

/// One request for each camera of the text. `file` names it in messages. Throws Error naming file and line.
std::vector<PullRequest> parse_cameras(const std::string& text, const std::string& file);

/// The same of a file; nothing where there is no such file. [blocking]
std::optional<std::vector<PullRequest>> read_cameras(const std::string& path);

}  // namespace tapedeck::rtsp
