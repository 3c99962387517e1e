// conf/reference.md: every declared setting, in an order that depends on nothing but the names.
#pragma once

#include <string>

#include "config/schema.hpp"

namespace tapedeck::host {

/// The whole file as Markdown, one table per owner, the host's first.
std::string reference(const Schema& schema);

}  // namespace tapedeck::host
