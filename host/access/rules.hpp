// conf/access.yaml as values: users and tokens of REST, and who may publish.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::host {

/// A user of /rest-api; `password` is a hash of password.hpp.
struct RestUser {
    std::string login, password;
};

/// Whoever publishes a stream whose name matches `pattern` shows these. Without login and token anyone may.
struct Publisher {
    std::string pattern;          ///< `*` stands for any characters, `?` for one
    std::string login, password;  ///< password is a hash
    std::string token;            ///< as it is, or a hash
};

struct AccessRules {
    std::vector<RestUser> users;
    std::vector<std::string> tokens;                   ///< hashes
    std::optional<std::vector<Publisher>> publishers;  ///< nothing: everyone may publish
};

/// Reads the YAML text. Throws Error `<file>:<line>: ...` that names the member and the value; secrets are not shown.
AccessRules parse_access_rules(const std::string& text, std::string_view file);

}  // namespace tapedeck::host
