// A storage plugin's instance, held by the host.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made on the control thread. `put` and `remove` are [blocking] and may run on several threads at once.
class Storage {
public:
    explicit Storage(const Extension& extension);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    const Extension& extension() const { return extension_; }

    /// The local folder of this recording's file, with null the folder of all; nothing when the storage is not local.
    /// [any]
    std::optional<std::filesystem::path> folder(const td_recording* recording = nullptr) const;
    /// Takes the file at recording.path under `key` and gives its uri; may move it; idempotent. Throws Error with
    /// TD_EXISTS when the key is taken and `replace` is false, retryable ones when trying again may help.
    std::string put(const td_recording& recording, std::string_view key, bool replace) const;
    void remove(std::string_view key) const;

private:
    const Extension& extension_;
    const td_storage* table_;
    void* self_ = nullptr;
};

}  // namespace tapedeck::host
