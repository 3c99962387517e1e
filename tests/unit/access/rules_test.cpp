#include "access/rules.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/password.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

constexpr const char* hash =
    "pbkdf2-sha256$1$73616c74$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc";

TEST(AccessRules, AreReadFromYaml) {
    const auto rules = parse_access_rules(fmt::format("rest:\n"
                                                      "  users:\n"
                                                      "    - {{login: admin, password: {0}}}\n"
                                                      "  tokens:\n"
                                                      "    - name: backup\n"
                                                      "      token: {1}\n"
                                                      "publishers:\n"
                                                      "  - name: 'cam*'\n"
                                                      "    login: camera\n"
                                                      "    password: {0}\n"
                                                      "  - {{name: 'live/*', token: s3cret}}\n"
                                                      "  - name: test\n",
                                                      hash, hash_token("t")),
                                          "access.yaml");
    ASSERT_EQ(rules.users.size(), 1U);
    EXPECT_EQ(rules.users[0].login, "admin");
    EXPECT_EQ(rules.users[0].password, hash);
    EXPECT_EQ(rules.tokens, std::vector{hash_token("t")});
    ASSERT_TRUE(rules.publishers);
    ASSERT_EQ(rules.publishers->size(), 3U);
    EXPECT_EQ((*rules.publishers)[0].login, "camera");
    EXPECT_EQ((*rules.publishers)[1].token, "s3cret");
    EXPECT_EQ((*rules.publishers)[2].pattern, "test");
}

TEST(AccessRules, OfAnEmptyFileAreNone) {
    for (const auto* text : {"", "# only a comment\n", "rest:\n", "rest:\n  users:\n"}) {
        const auto rules = parse_access_rules(text, "access.yaml");
        EXPECT_TRUE(rules.users.empty());
        EXPECT_FALSE(rules.publishers);
    }
    EXPECT_TRUE(parse_access_rules("publishers:\n", "access.yaml").publishers->empty());
}

TEST(AccessRules, NameFileLineAndValueOfWhatIsWrong) {
    struct Row {
        std::string text;
        const char *place, *part;
    };
    for (const auto& [text, place, part] : {
             Row{"rest:\n  user: []\n", "access.yaml:2: ", "'user'; known are users, tokens"},
             Row{"publisher: []\n", "access.yaml:1: ", "'publisher'; known are rest, publishers"},
             Row{"rest:\n  users:\n    - login: admin\n      passwd: x\n", "access.yaml:4: ", "'passwd'"},
             Row{"rest:\n  users:\n    - login: admin\n      password: hunter2\n",
                 "access.yaml:4: ", "password of 'admin' is not a hash; make one with `tapedeck --hash-password`"},
             Row{"rest:\n  users:\n    - password: x\n", "access.yaml:3: ", "a user needs 'login'"},
             Row{"rest:\n  users: admin\n", "access.yaml:2: ", "users is a list"},
             Row{"rest:\n  tokens:\n    - {name: backup, token: abc}\n", "access.yaml:3: ", "token of 'backup'"},
             Row{"publishers:\n  - login: x\n", "access.yaml:2: ", "a publisher needs 'name'"},
             Row{"publishers:\n  - {name: a, login: x}\n", "access.yaml:2: ", "only one of login and password"},
             Row{"publishers:\n  - {name: [a]}\n", "access.yaml:2: ", "name is a text"},
             Row{"publishers:\n  - a\n", "access.yaml:2: ", "consists of members"},
             Row{"- a\n", "access.yaml:1: ", "consists of members"},
             Row{"rest:\n  users: [\n", "access.yaml:3: ", ""},
             Row{"a: b: c\n", "access.yaml:1: ", ""},
         }) {
        try {
            parse_access_rules(text, "access.yaml");
            ADD_FAILURE() << "accepted: " << text;
        } catch (const Error& failure) {
            const std::string said = failure.what();
            EXPECT_TRUE(said.starts_with(place)) << said;
            EXPECT_NE(said.find(part), std::string::npos) << said;
            EXPECT_EQ(said.find("hunter2"), std::string::npos) << "a secret is never shown: " << said;
        }
    }
}

TEST(Pattern, StandsForAnyCharacters) {
    struct Row {
        const char *pattern, *text;
        bool matches;
    };
    for (const auto& [pattern, text, matches] : {
             Row{"*", "", true},
             Row{"*", "anything/at all", true},
             Row{"cam*", "cam1", true},
             Row{"cam*", "mycam1", false},
             Row{"cam?", "cam1", true},
             Row{"cam?", "cam12", false},
             Row{"*a*b*c", "xxaxbxbxc", true},
             Row{"*a*b*c", "xxaxcxb", false},
             Row{"live/*", "live/x", true},
             Row{"live/*", "live", false},
             Row{"", "", true},
             Row{"", "x", false},
             Row{"a**", "a", true},
             Row{"[a]", "[a]", true},
             Row{"*********************b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
         }) {
        EXPECT_EQ(matches_pattern(pattern, text), matches) << pattern << " / " << text;
    }
}

}  // namespace
}  // namespace tapedeck::host
