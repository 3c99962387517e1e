// The plugin files in the folders, each looked at and tried in a child process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "config/settings.hpp"
#include "plugin/context.hpp"
#include "plugin/declared_keys.hpp"
#include "plugin/extension.hpp"
#include "plugin/verdict.hpp"

namespace tapedeck::host {

/// One extension of a file that would load.
struct OfferedExtension {
    std::string name;  ///< `writer.mp4`
    std::string kind, id, doc;
    std::unique_ptr<DeclaredKeys> keys;
    std::unique_ptr<td_context> context;  ///< with `extension`, made when it first becomes active
    std::unique_ptr<Extension> extension;
    std::string note;  ///< why it is not active
    bool active = false;
};

/// Device, inode, size and time of change: whether a file is still the one that was judged.
using FileStamp = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;
FileStamp stamp_of(const std::filesystem::path& file);

/// A judged file. Once loaded it lives as long as the process.
struct FoundFile {
    std::filesystem::path path;
    FileStamp stamp;
    Facts facts;
    Verdict verdict;
    std::vector<OfferedExtension> offers;
    const td_plugin* loaded = nullptr;

    /// It will not be used after all.
    void refuse(std::string_view reason);
    /// `writer.mp4` of each extension that its descriptor names, also where the file is refused.
    std::vector<std::string> names() const;
};

/// The shipped folder, where it exists, and those of `plugin_path`.
std::vector<std::filesystem::path> plugin_folders(const Settings& settings, const std::filesystem::path& shipped);

/// Every `*.so` of the folders, each file once even if links name it twice. Throws Error for a folder that is none.
std::vector<std::filesystem::path> plugin_files(const std::vector<std::filesystem::path>& folders);

/// Facts and verdict of each, a few children at a time.
std::vector<std::unique_ptr<FoundFile>> judge_files(const std::vector<std::filesystem::path>& files,
                                                    const std::filesystem::path& executable,
                                                    std::chrono::milliseconds probe_limit);

}  // namespace tapedeck::host
