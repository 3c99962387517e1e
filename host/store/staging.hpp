// Where unfinished files lie, and which of them this process has open.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "store/file.hpp"
#include "store/recording.hpp"

namespace tapedeck::host {

/// Thread-safe.
class Staging {
public:
    /// `temporary` is record_tmp_dir or empty, `fallback` is used where neither it nor the home storage has a folder.
    Staging(std::filesystem::path temporary, std::filesystem::path fallback)
        : temporary_(std::move(temporary)), fallback_(std::move(fallback)) {}

    /// The folder of a new `.part` file; `home` is the home storage's folder for it, or empty.
    const std::filesystem::path& folder(const std::filesystem::path& home) const;
    /// Makes the `.part` file: `<media session>-<n>.part.<ext>`, of the first `n` from the segment's number on that is
    /// free in its folder and in `home`. Throws Error.
    std::unique_ptr<File> create(const Recording& recording, const std::filesystem::path& home);

    /// Whether a file of this name belongs to a recording that this process knows.
    bool is_known(const std::string& name) const;
    void know(const std::string& name);
    void forget(const std::string& name);

    /// `.part` files in the folders that nobody here knows, by name; deletes hidden rewrites that a kill left behind.
    std::vector<std::filesystem::path> strays(const std::vector<std::filesystem::path>& homes) const;
    /// The same file name in another of the folders: a rewrite moved it, or its first form is still there.
    std::vector<std::filesystem::path> twins(const std::filesystem::path& path,
                                             const std::vector<std::filesystem::path>& homes) const;

private:
    std::vector<std::filesystem::path> folders(const std::vector<std::filesystem::path>& homes) const;

    const std::filesystem::path temporary_, fallback_;
    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> known_;
};

enum class Missing { IsMade, StaysAway };

/// Writes to the folder for a moment; where it is missing and stays away, to the nearest one above it. Throws Error
/// that names `setting`, the folder and what to do.
void require_writable(const std::string& setting, const std::filesystem::path& folder,
                      Missing missing = Missing::IsMade);

}  // namespace tapedeck::host
