#include "plugin/declared_keys.hpp"

namespace tapedeck::host {
namespace {

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

}  // namespace

DeclaredKeys::DeclaredKeys(const std::vector<DescriptorFacts::Key>& facts) : texts_(facts) {
    keys_.reserve(texts_.size());
    for (const auto& text : texts_) {
        td_key key{};
        key.size = sizeof key;
        key.type = text.type;
        key.flags = text.flags;
        key.name = text.name.c_str();
        key.alias = or_null(text.alias);
        key.fallback = text.fallback.c_str();
        key.choices = or_null(text.choices);
        key.doc = text.doc.c_str();
        key.unit = or_null(text.unit);
        key.min = text.min;
        key.max = text.max;
        keys_.push_back(key);
    }
    for (const td_key& key : keys_) pointers_.push_back(&key);
}

}  // namespace tapedeck::host
