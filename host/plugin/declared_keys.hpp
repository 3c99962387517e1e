// Settings of a plugin that is not loaded: as its child process reported them, in the form that the schema wants.
#pragma once

#include <span>
#include <vector>

#include "plugin/facts.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Owns td_keys made from facts. The schema keeps pointers to them, so one that was declared must live for ever.
class DeclaredKeys {
public:
    explicit DeclaredKeys(const std::vector<DescriptorFacts::Key>& facts);
    DeclaredKeys(const DeclaredKeys&) = delete;
    DeclaredKeys& operator=(const DeclaredKeys&) = delete;

    std::span<const td_key* const> view() const { return pointers_; }

private:
    std::vector<DescriptorFacts::Key> texts_;
    std::vector<td_key> keys_;
    std::vector<const td_key*> pointers_;
};

}  // namespace tapedeck::host
