#include "plugin/naming.hpp"

#include <fmt/format.h>

#include "plugin/control_call.hpp"

namespace tapedeck::host {

Naming::Naming(const Extension& extension)
    : extension_(extension),
      table_(static_cast<const td_naming*>(extension.declared->table)),
      self_(create_controlled(extension, table_->create)) {}

Naming::~Naming() {
    destroy_controlled(extension_, table_->destroy, self_);
}

std::string Naming::name(const td_recording& recording) const {
    constexpr std::size_t longest = 64u << 10;
    std::string stem(1024, '\0');
    for (;;) {
        td_error error = empty_error();
        std::size_t written = 0;
        check(extension_, "name", table_->name(self_, &recording, stem.data(), stem.size(), &written, &error), error);
        if (written > longest) {
            throw Error(fmt::format("naming {}: name: a name of {} bytes; {} at most", extension_.id, written, longest),
                        TD_MALFORMED);
        }
        const bool whole = written <= stem.size();
        stem.resize(written);
        if (whole) return stem;
    }
}

}  // namespace tapedeck::host
