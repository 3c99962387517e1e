// Who may use REST and who may publish: client networks from the settings, users and publishers from conf/access.yaml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// The access rules. Thread-safe; `reload` changes them for all later questions. Credentials are never logged.
class Access {
public:
    /// Reads `file` (conf/access.yaml; it need not exist) and the network list `allowed_clients`
    /// (`rest.allowed_clients`). Throws Error: `access.yaml:7: unknown member 'passwd'; ...`.
    /// `must_exist`: the operator named the file, so its absence is an Error and not a server without rules.
    Access(std::filesystem::path file, std::string_view allowed_clients, bool must_exist = false);
    ~Access();

    /// Reads both again (SIGHUP). On failure throws Error and the old rules stay; a file that has vanished is one.
    void reload(std::string_view allowed_clients);

    /// Whether this address may use /rest-api without credentials. At once.
    bool allows_address(std::string_view remote) const;

    enum class Verdict { Allowed, WantsCredentials, Denied };
    /// Whether an `Authorization` header opens /rest-api. WantsCredentials: there are users or tokens, and this is none
    /// of them (401); Denied: there are none at all (403). Checking a password costs some 50 ms: call on a pool thread.
    Verdict check(std::string_view authorization) const;

    /// Both in one: address first, then credentials. On a pool thread.
    Verdict may_rest(std::string_view remote, std::string_view authorization) const;

    /// Nothing when this client may publish under info.name; otherwise the reason to tell it. Without a `publishers`
    /// section everyone may. Reads info.login and the attributes `password` and `token`. May cost some 50 ms where a
    /// password is checked for the first time: call on a pool thread.
    std::optional<std::string> may_publish(const td_stream_info& info) const;

private:
    struct Rules;
    std::shared_ptr<const Rules> rules() const;

    std::filesystem::path file_;
    bool must_exist_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Rules> rules_;  // replaced whole by reload, while questions still hold the old one
};

}  // namespace tapedeck::host
