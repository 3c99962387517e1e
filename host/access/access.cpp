#include "access/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "access/keys.hpp"
#include "access/networks.hpp"
#include "access/password.hpp"
#include "access/rules.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "config/yaml.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t most_secret_bytes = 1024;

AccessRules read_rules(const std::filesystem::path& file, bool must_exist) {
    const auto text = read_config_file(file, must_exist, access_file.name);
    if (!text) return {};
    return parse_access_rules(*text, file.filename().string());
}

Networks parse_networks(std::string_view list) {
    try {
        return Networks(list);
    } catch (const Error& cause) {
        throw Error(rest_allowed_clients.name, cause);
    }
}

/// RFC 4648 section 4; nothing when a character is none of the alphabet.
std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return {};
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>(bits >> count & 0xff));
        }
    }
    return bytes;
}

/// The rest of an Authorization header after its scheme, which is compared without regard to case.
std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) {
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    if (header.size() <= scheme.size() || header[scheme.size()] != ' ' ||
        !std::equal(scheme.begin(), scheme.end(), header.begin(), [&](char s, char h) { return same(h, s); })) {
        return {};
    }
    header.remove_prefix(scheme.size());
    return header.substr(std::min(header.find_first_not_of(' '), header.size()));
}

std::string_view attribute(const td_stream_info& info, std::string_view key) {
    for (std::size_t i = 0; i < info.attribute_count; ++i) {
        if (view(info.attributes[i].key) == key) return view(info.attributes[i].value);
    }
    return {};
}

}  // namespace

struct Access::Rules {
    Rules(AccessRules read, Networks allowed) : file(std::move(read)), networks(std::move(allowed)), key(new_token()) {}

    AccessRules file;
    Networks networks;

    /// matches_hash, remembering what matched: a client that polls must not cost 50 ms each time.
    bool matches(std::string_view secret, std::string_view hash) const {
        if (secret.size() > most_secret_bytes) return false;
        const auto mark = hash_token(fmt::format("{}\n{}\n{}", key, hash, secret));
        {
            const std::lock_guard lock(mutex);
            if (matched.contains(mark)) return true;
        }
        if (!matches_hash(secret, hash)) return false;
        const std::lock_guard lock(mutex);
        if (matched.size() >= 256) matched.clear();
        matched.insert(mark);
        return true;
    }

private:
    std::string key;  // makes what lies in memory useless elsewhere
    mutable std::mutex mutex;
    mutable std::set<std::string, std::less<>> matched;
};

Access::Access(std::filesystem::path file, std::string_view allowed_clients, bool must_exist)
    : file_(std::move(file)), must_exist_(must_exist) {
    reload(allowed_clients);
}

Access::~Access() = default;

void Access::reload(std::string_view allowed_clients) {
    auto networks = parse_networks(allowed_clients);
    auto fresh = std::make_shared<const Rules>(read_rules(file_, must_exist_), std::move(networks));
    must_exist_ = must_exist_ || std::filesystem::exists(file_);
    const std::lock_guard lock(mutex_);
    rules_.swap(fresh);
}

std::shared_ptr<const Access::Rules> Access::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

bool Access::allows_address(std::string_view remote) const {
    return rules()->networks.contains(remote);
}

Access::Verdict Access::check(std::string_view authorization) const {
    const auto now = rules();
    if (now->file.users.empty() && now->file.tokens.empty()) return Verdict::Denied;
    if (const auto token = after_scheme(authorization, "bearer")) {
        const bool known =
            std::ranges::any_of(now->file.tokens, [&](const std::string& hash) { return now->matches(*token, hash); });
        return known ? Verdict::Allowed : Verdict::WantsCredentials;
    }
    if (const auto basic = after_scheme(authorization, "basic")) {
        const auto pair = decode_base64(*basic).value_or("");
        const auto colon = pair.find(':');
        if (colon == std::string::npos) return Verdict::WantsCredentials;
        const auto login = std::string_view(pair).substr(0, colon);
        const auto password = std::string_view(pair).substr(colon + 1);
        const auto& users = now->file.users;
        const auto user = std::ranges::find(users, login, &RestUser::login);
        if (user == users.end()) {  // takes as long as a known one, so that nobody learns which names exist
            if (!users.empty()) matches_hash(password.substr(0, most_secret_bytes), users.front().password);
            return Verdict::WantsCredentials;
        }
        return now->matches(password, user->password) ? Verdict::Allowed : Verdict::WantsCredentials;
    }
    return Verdict::WantsCredentials;
}

Access::Verdict Access::may_rest(std::string_view remote, std::string_view authorization) const {
    return allows_address(remote) ? Verdict::Allowed : check(authorization);
}

std::optional<std::string> Access::may_publish(const td_stream_info& info) const {
    const auto now = rules();
    if (!now->file.publishers) return {};
    const auto name = view(info.name);
    const auto login = view(info.login);
    const auto password = attribute(info, "password");
    const auto token = attribute(info, "token");
    bool named = false;
    for (const auto& publisher : *now->file.publishers) {
        if (!matches_pattern(publisher.pattern, name)) continue;
        named = true;
        if (publisher.login.empty() && publisher.token.empty()) return {};
        if (!publisher.token.empty() && !token.empty() &&
            (is_hash(publisher.token) ? now->matches(token, publisher.token) : equal_secrets(token, publisher.token))) {
            return {};
        }
        if (!publisher.login.empty() && publisher.login == login && now->matches(password, publisher.password)) {
            return {};
        }
    }
    return named ? fmt::format("stream '{}': wrong login, password or token", printable(name))
                 : fmt::format("stream '{}': no publisher of {} has this name", printable(name),
                               file_.filename().string());
}

}  // namespace tapedeck::host
