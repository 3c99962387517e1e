#include "access/rules.hpp"

#include <fmt/format.h>

#include "access/password.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "config/yaml.hpp"

namespace tapedeck::host {
namespace {

class Reader : YamlFile {
public:
    using YamlFile::YamlFile;

    AccessRules read(const std::string& text) const {
        const YAML::Node root = load(text);
        AccessRules rules;
        if (root.IsNull()) return rules;  // a file of comments
        expect_members(root, "the file", {"rest", "publishers"});
        if (const auto rest = member(root, "rest"); rest && !rest.IsNull()) {
            expect_members(rest, "rest", {"users", "tokens"});
            for (const auto& entry : list(rest, "users")) rules.users.push_back(user(entry));
            for (const auto& entry : list(rest, "tokens")) rules.tokens.push_back(token(entry));
        }
        if (member(root, "publishers")) {
            auto& publishers = rules.publishers.emplace();
            for (const auto& entry : list(root, "publishers")) publishers.push_back(publisher(entry));
        }
        return rules;
    }

private:
    /// The hash in `name`. A plain secret is refused without being shown.
    std::string hash(const YAML::Node& map, const char* name, std::string_view whose, const char* way) const {
        auto value = text(map, name);
        if (!is_hash(value)) {
            fail(member(map, name).Mark(), fmt::format("{} of '{}' is not a hash; {}", name, printable(whose), way));
        }
        return value;
    }

    RestUser user(const YAML::Node& entry) const {
        expect_members(entry, "a user", {"login", "password"});
        RestUser user{required(entry, "login", "a user"), required(entry, "password", "a user")};
        if (user.login.find(':') != std::string::npos) {
            fail(entry.Mark(),
                 fmt::format("login '{}' has a ':', which HTTP Basic cannot carry", printable(user.login)));
        }
        user.password = hash(entry, "password", user.login, "make one with `tapedeck --hash-password`");
        return user;
    }

    std::string token(const YAML::Node& entry) const {
        expect_members(entry, "a token", {"name", "token"});
        required(entry, "token", "a token");
        return hash(entry, "token", text(entry, "name"), "make one with `tapedeck --new-token`");
    }

    Publisher publisher(const YAML::Node& entry) const {
        expect_members(entry, "a publisher", {"name", "login", "password", "token"});
        Publisher publisher{required(entry, "name", "a publisher"), text(entry, "login"), text(entry, "password"),
                            text(entry, "token")};
        if (publisher.login.empty() != publisher.password.empty()) {
            fail(entry.Mark(),
                 fmt::format("publisher '{}' has only one of login and password", printable(publisher.pattern)));
        }
        if (!publisher.password.empty()) {
            hash(entry, "password", publisher.login, "make one with `tapedeck --hash-password`");
        }
        return publisher;
    }
};

}  // namespace

AccessRules parse_access_rules(const std::string& text, std::string_view file) {
    return Reader(file).read(text);
}

}  // namespace tapedeck::host
