#include "access/networks.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

constexpr unsigned ipv4_bits = 96;  // in front of an IPv4 address

bool is_ipv4(std::string_view text) {
    return text.find(':') == std::string_view::npos;
}

unsigned prefix_length(std::string_view network, std::string_view text) {
    const unsigned most = is_ipv4(network) ? 32 : 128;
    unsigned bits = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (failure != std::errc() || end != text.data() + text.size() || bits > most) {
        throw Error(fmt::format("'{}/{}': the length of the prefix is a number from 0 to {}", printable(network),
                                printable(text), most));
    }
    return is_ipv4(network) ? bits + ipv4_bits : bits;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    const std::string plain(text.substr(0, text.find('%')));
    Address address{};
    if (is_ipv4(plain)) {
        in_addr v4{};
        if (inet_pton(AF_INET, plain.c_str(), &v4) != 1) return {};
        address[10] = address[11] = 0xff;
        std::memcpy(address.data() + 12, &v4, 4);
        return address;
    }
    if (inet_pton(AF_INET6, plain.c_str(), address.data()) != 1) return {};
    return address;
}

Networks::Networks(std::string_view list) {
    constexpr std::string_view separators = ", \t";
    while (true) {
        const auto begin = list.find_first_not_of(separators);
        if (begin == std::string_view::npos) return;
        const auto end = std::min(list.find_first_of(separators, begin), list.size());
        const auto part = list.substr(begin, end - begin);
        list.remove_prefix(end);

        const auto slash = part.find('/');
        const auto base = part.substr(0, slash);
        const auto address = parse_address(base);
        if (!address) {
            throw Error(fmt::format("'{}' is no address and no network; write 10.0.0.0/8, 192.168.1.7 or fd00::/8",
                                    printable(part)));
        }
        networks_.push_back(
            {*address, slash == std::string_view::npos ? 128 : prefix_length(base, part.substr(slash + 1))});
    }
}

bool Networks::contains(const Address& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) {
        const auto whole = network.bits / 8;
        if (std::memcmp(address.data(), network.prefix.data(), whole) != 0) return false;
        const auto rest = network.bits % 8;
        return rest == 0 || (address[whole] ^ network.prefix[whole]) >> (8 - rest) == 0;
    });
}

bool Networks::contains(std::string_view address) const {
    const auto parsed = parse_address(address);
    return parsed && contains(*parsed);
}

}  // namespace tapedeck::host
