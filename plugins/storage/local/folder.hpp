// The folder of finished recordings: files go in under their keys and are never half there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tapedeck::local {

/// Touches nothing until it is used. All calls may run concurrently, on blocking threads.
class Folder {
public:
    explicit Folder(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }

    /// Moves a finished and synced file to `key`, a relative path with `/`; gives its `file://` address. Where the file
    /// is gone and the key is there, it was done before a crash. Throws Error: TD_EXISTS for a taken key without
    /// `replace`, TD_NOT_FOUND where neither file nor key exists, TD_MALFORMED for a key that would leave the folder.
    std::string put(const std::filesystem::path& file, std::string_view key, bool replace,
                    const std::function<bool()>& cancelled) const;

    /// A key that is not there is no error.
    void remove(std::string_view key) const;

private:
    std::filesystem::path target(std::string_view key) const;

    std::filesystem::path root_;
};

}  // namespace tapedeck::local
