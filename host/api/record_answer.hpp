// The answer with a record, whole or in part, or that the client has it already (R90-R92).
#pragma once

#include <optional>
#include <string>

#include "api/message.hpp"
#include "api/range.hpp"

namespace tapedeck::host::api {

/// What is sent.
struct RecordContent {
    std::string name;  ///< as its disposition says; the last dot begins its type
    FileParts files;
    std::optional<Version> version;    ///< nothing where no two answers are alike
    bool is_final = true;              ///< else it is still written, and nobody may keep it
    std::string warning;               ///< what it is not that was asked for; may be empty
    std::shared_ptr<const void> hold;  ///< what must live until it is sent
};

/// `disposition` is the setting of R92.
Response record_answer(const Request& request, const RecordContent& content, const std::string& disposition);

}  // namespace tapedeck::host::api
