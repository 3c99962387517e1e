// The answer with a file, whole or in part, or that the client has it already (R90-R92).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/message.hpp"
#include "api/range.hpp"

namespace tapedeck::host::api {

/// What is sent.
struct FileContent {
    std::string name;  ///< as its disposition says; the last dot begins its type
    FileParts files;
    std::optional<Version> version;    ///< nothing where no two answers are alike
    bool is_final = true;              ///< else it is still written, and nobody may keep it
    std::string warning;               ///< what it is not that was asked for; may be empty
    std::shared_ptr<const void> hold;  ///< what must live until it is sent
    std::string_view type = {};        ///< empty: a record's of that name, never one that a browser would run
};

/// A regular file as long as it is now; nothing when it is no such. Throws Error naming `path`.
std::optional<FileContent> content_of(std::shared_ptr<const OpenFile> file, const std::filesystem::path& path,
                                      std::string name);

/// The same, opened for reading; nothing when there is none. Looks at the disk. Throws Error.
std::optional<FileContent> open_file(const std::filesystem::path& path, std::string name);

/// `disposition` is the setting of R92; empty: nothing is said of it.
Response file_answer(const Request& request, const FileContent& content, const std::string& disposition);

}  // namespace tapedeck::host::api
