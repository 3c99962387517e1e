#include "access/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>

#include "access/password.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

/// Walks the document; knows the file's name for messages.
class Reader {
public:
    explicit Reader(std::string_view file) : file_(file) {}

    AccessRules read(const std::string& text) const {
        YAML::Node root;
        try {
            root = YAML::Load(text);
        } catch (const YAML::Exception& failure) {
            fail(failure.mark, failure.msg);
        }
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
    [[noreturn]] void fail(const YAML::Mark& mark, const std::string& text) const {
        throw Error(fmt::format("{}:{}: {}", file_, std::max(mark.line, 0) + 1, text));
    }

    /// Nothing when there is no such member; asking a const node never adds one.
    static YAML::Node member(const YAML::Node& map, const char* name) {
        const auto& constant = map;
        return constant[name];
    }

    void expect_members(const YAML::Node& map, const char* what, std::initializer_list<std::string_view> known) const {
        if (!map.IsMap()) {
            fail(map.Mark(), fmt::format("{} consists of members, `name: value`: {}", what, fmt::join(known, ", ")));
        }
        for (const auto& entry : map) {
            const auto name = entry.first.IsScalar() ? entry.first.Scalar() : std::string("?");
            if (std::ranges::find(known, name) == known.end()) {
                fail(entry.first.Mark(),
                     fmt::format("{} has no member '{}'; known are {}", what, printable(name), fmt::join(known, ", ")));
            }
        }
    }

    YAML::Node list(const YAML::Node& map, const char* name) const {
        const auto node = member(map, name);
        if (!node || node.IsNull()) return YAML::Node(YAML::NodeType::Sequence);
        if (!node.IsSequence()) fail(node.Mark(), fmt::format("{} is a list; begin each entry with `- `", name));
        return node;
    }

    std::string text(const YAML::Node& map, const char* name) const {
        const auto node = member(map, name);
        if (!node || node.IsNull()) return {};
        if (!node.IsScalar()) fail(node.Mark(), fmt::format("{} is a text", name));
        return node.Scalar();
    }

    std::string required(const YAML::Node& map, const char* name, const char* what) const {
        auto value = text(map, name);
        if (value.empty()) fail(map.Mark(), fmt::format("{} needs '{}'", what, name));
        return value;
    }

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

    std::string_view file_;
};

}  // namespace

AccessRules parse_access_rules(const std::string& text, std::string_view file) {
    return Reader(file).read(text);
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, resume = 0;  // the last `*`, and what it covers so far
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p, ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace tapedeck::host
