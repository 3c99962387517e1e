// The challenge of `authmod=adobe`, which Flash Media Server, Wowza and others put to clients in the words of a
// refusal.
#pragma once

#include <string>
#include <string_view>

namespace tapedeck::rtmp {

/// Whether a refused `connect` asks for such a login; `description` is the refusal's.
bool asks_for_adobe_login(std::string_view description);

/// The login of one client towards one server.
struct AdobeLogin {
    std::string user, password;  // as they are, without escapes
    std::string nonce;           // of the client's own, new for each connection

    /// What stands behind the application at the next `connect`; `sent` is what stood there at the refused one. A
    /// server asks twice: first for the user, then with its salt and challenge. Throws Error telling why no login will
    /// do.
    std::string answer(std::string_view description, std::string_view sent) const;
};

}  // namespace tapedeck::rtmp
