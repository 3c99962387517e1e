// Settings of the access rules.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key rest_allowed_clients =
    Key::text("rest.allowed_clients", "127.0.0.0/8, ::1")
        .about("Networks (CIDR) and addresses whose clients may use /rest-api without credentials")
        .reload();

inline constexpr Key access_file =
    Key::path("access_file", "conf/access.yaml").about("Users and tokens of /rest-api, and who may publish");

inline constexpr std::array<const td_key*, 2> access_keys{&rest_allowed_clients, &access_file};

}  // namespace tapedeck::host
