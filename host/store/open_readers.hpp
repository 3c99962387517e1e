// Readers of files that were cut a short while ago, so that the index of one file is read once for many parts.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "plugin/reader.hpp"
#include "store/cut_list.hpp"
#include "store/file.hpp"

namespace tapedeck::host {

/// Thread-safe. An open reader keeps a deleted file's space, so those that nobody used for a while are closed.
class OpenReaders {
public:
    static constexpr std::size_t most = 8;

    /// Opens `file`, if it is not open in this version, and runs `use` with its reader. Others who want
    /// the same file wait meanwhile: a reader takes one call at a time. [blocking] Throws what opening and `use` throw.
    using Use = std::function<void(Reader& reader, const File& file, const FileVersion& version)>;
    void with(const std::filesystem::path& file, const Extension& extension, const Use& use);

    /// Closes readers that nobody used for so long.
    void close_idle(std::chrono::steady_clock::duration idle);

private:
    struct Entry {
        std::mutex busy;
        std::optional<File> file;
        std::optional<Reader> reader;  // of `file`
        FileVersion version;
        std::chrono::steady_clock::time_point used;  // begun to be, with the lock of all held
    };

    std::shared_ptr<Entry> find(const std::filesystem::path& file);
    void forget(const std::filesystem::path& file, const std::shared_ptr<Entry>& entry);

    std::mutex mutex_;
    std::map<std::filesystem::path, std::shared_ptr<Entry>> entries_;
};

}  // namespace tapedeck::host
