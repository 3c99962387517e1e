#include "plugin/storage.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "plugin/control_call.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t longest_place = 8u << 10;  // paths are at most 4096 bytes; a uri may escape some of them

/// What the plugin wrote into `text`.
std::string taken(const Extension& extension, const char* call, std::string text, std::size_t written) {
    if (written > text.size()) {
        throw Error(
            fmt::format("storage {}: {}: an answer of {} bytes; {} at most", extension.id, call, written, text.size()),
            TD_MALFORMED);
    }
    text.resize(written);
    return text;
}

}  // namespace

Storage::Storage(const Extension& extension)
    : extension_(extension),
      table_(static_cast<const td_storage*>(extension.declared->table)),
      self_(create_controlled(extension, table_->create)) {}

Storage::~Storage() {
    destroy_controlled(extension_, table_->destroy, self_);
}

std::optional<std::filesystem::path> Storage::folder(const td_recording* recording) const {
    const auto function = offered(table_, &td_storage::folder);
    if (function == nullptr) return std::nullopt;
    std::string path(longest_place, '\0');
    std::size_t written = 0;
    td_error error = empty_error();
    const td_status status = function(self_, recording, path.data(), path.size(), &written, &error);
    if (status == TD_UNSUPPORTED) return std::nullopt;
    check(extension_, "folder", status, error);
    return taken(extension_, "folder", std::move(path), written);
}

std::string Storage::put(const td_recording& recording, std::string_view key, bool replace) const {
    std::string uri(longest_place, '\0');
    std::size_t written = 0;
    td_error error = empty_error();
    const td_status status = table_->put(self_, &recording, text_of(key), replace ? TD_PUT_REPLACE : 0, uri.data(),
                                         uri.size(), &written, &error);
    check(extension_, fmt::format("put {}", printable(key, 300)), status, error);
    return taken(extension_, "put", std::move(uri), written);
}

void Storage::remove(std::string_view key) const {
    td_error error = empty_error();
    check(extension_, fmt::format("remove {}", printable(key, 300)), table_->remove(self_, text_of(key), &error),
          error);
}

}  // namespace tapedeck::host
