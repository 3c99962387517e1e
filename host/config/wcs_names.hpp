// Names of settings that belong to Flashphoner WCS, whether or not this server has a use for them.
#pragma once

#include <set>
#include <string>

namespace tapedeck::host {

/// A stock file may have any of them; one that no part declares is no typing mistake and goes into the summary line.
const std::set<std::string, std::less<>>& wcs_names();

}  // namespace tapedeck::host
