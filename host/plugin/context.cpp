#include "plugin/context.hpp"

#include <algorithm>
#include <span>

const td_key* td_context::key(std::string_view short_name) const {
    const std::span keys(declared->keys, declared->key_count);
    const auto found = std::ranges::find_if(keys, [short_name](const td_key* one) { return one->name == short_name; });
    return found == keys.end() ? nullptr : *found;
}
