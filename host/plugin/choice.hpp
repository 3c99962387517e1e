// Which extensions are on and which file serves each: decided from facts alone, before anything is loaded.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tapedeck::host {

/// What the operator said about plugins.
struct PluginWishes {
    /// `enable`: `protocol.rtmp`, `writer.mp4`, ... Nothing: all that lack no REQUIRED setting.
    std::optional<std::vector<std::string>> enable;
    /// `plugin.writer.mp4 = mp4_fast.so`: `writer.mp4` -> file name, or the end of its path where two have one name.
    std::map<std::string, std::string> files;
};

/// One extension in one file that would load.
struct Candidate {
    std::string name;  ///< `writer.mp4`
    std::filesystem::path file;
    bool in_use = false;  ///< active until now; a second file with its name does not take it away
};

/// A file that would not load, and why.
struct RefusedFile {
    std::filesystem::path file;
    std::string message;             ///< begins with the file's name
    std::vector<std::string> names;  ///< what it offers, where that could be found out
};

struct PluginPlan {
    std::set<std::size_t> on;                  ///< indices of candidates
    std::map<std::size_t, std::string> notes;  ///< why a candidate is not on
    std::vector<std::string> errors;           ///< each stops the start
    std::vector<std::string> warnings;
};

/// Pure. `missing(i)` lists the REQUIRED settings of candidate i that nobody gave. A reader is on with the writer of
/// its id, from the same file where that file offers it.
PluginPlan plan_plugins(const std::vector<Candidate>& candidates, const std::vector<RefusedFile>& refused,
                        const PluginWishes& wishes,
                        const std::function<std::vector<std::string>(std::size_t candidate)>& missing);

/// `protocol.rtmp, writer.mp4` -> the names; empty text -> nothing.
std::optional<std::vector<std::string>> parse_enable(const std::string& text);

}  // namespace tapedeck::host
