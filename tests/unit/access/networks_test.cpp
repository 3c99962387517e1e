#include "access/networks.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

TEST(Networks, ContainAddressesOfBothFamilies) {
    struct Row {
        const char *list, *address;
        bool inside;
    };
    for (const auto& [list, address, inside] : {
             Row{"127.0.0.0/8, ::1", "127.0.0.1", true},
             Row{"127.0.0.0/8, ::1", "::1", true},
             Row{"127.0.0.0/8, ::1", "128.0.0.1", false},
             Row{"127.0.0.0/8", "::ffff:127.3.2.1", true},
             Row{"10.20.0.0/14", "10.23.255.255", true},
             Row{"10.20.0.0/14", "10.24.0.0", false},
             Row{"192.168.1.7", "192.168.1.7", true},
             Row{"192.168.1.7", "192.168.1.8", false},
             Row{"0.0.0.0/0", "8.8.8.8", true},
             Row{"0.0.0.0/0", "2001:db8::1", false},
             Row{"::/0", "8.8.8.8", true},
             Row{"fd00::/8", "fd12::1", true},
             Row{"fe80::/10", "fe80::1%eth0", true},
             Row{"2001:db8::/33", "2001:db8:8000::", false},
             Row{"2001:db8::/33", "2001:db8:7fff::", true},
             Row{"", "127.0.0.1", false},
             Row{"127.0.0.0/8", "localhost", false},
             Row{"127.0.0.0/8", "", false},
         }) {
        EXPECT_EQ(Networks(list).contains(address), inside) << list << " / " << address;
    }
}

TEST(Networks, NameThePartThatIsNoNetwork) {
    for (const auto& [list, part] : {std::pair{"10.0.0.0/8, lan", "lan"},
                                     {"10.0.0.0/33", "10.0.0.0/33"},
                                     {"::1/129", "::1/129"},
                                     {"10.0.0.0/", "10.0.0.0/"},
                                     {"10.0.0/8", "10.0.0/8"},
                                     {"1.2.3.4/-1", "1.2.3.4/-1"}}) {
        try {
            Networks networks(list);
            ADD_FAILURE() << list << " was accepted";
        } catch (const Error& failure) {
            EXPECT_NE(std::string(failure.what()).find("'" + std::string(part) + "'"), std::string::npos)
                << failure.what();
        }
    }
}

}  // namespace
}  // namespace tapedeck::host
