// Lists of networks in CIDR notation (RFC 4632, RFC 4291 section 2.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tapedeck::host {

/// An address; IPv4 lies in ::ffff:0:0/96, so that both families compare alike.
using Address = std::array<std::uint8_t, 16>;

/// Nothing when `text` is no IPv4 or IPv6 address. A zone (`fe80::1%eth0`) is left out.
std::optional<Address> parse_address(std::string_view text);

/// `127.0.0.0/8, ::1, 10.1.2.3`: a set of addresses.
class Networks {
public:
    Networks() = default;
    /// Separated by commas or spaces; an address alone is itself only. Throws Error that names the part which is none.
    explicit Networks(std::string_view list);

    bool contains(const Address& address) const;
    /// False for a text that is no address.
    bool contains(std::string_view address) const;

private:
    struct Network {
        Address prefix;
        unsigned bits;
    };
    std::vector<Network> networks_;
};

}  // namespace tapedeck::host
