// What went wrong with a file, for the one who has to put it right.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "move.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::local {

namespace fs = std::filesystem;

namespace {

std::string user_name(uid_t user) {
    std::array<char, 4096> room{};
    struct passwd entry {};
    struct passwd* found = nullptr;
    if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) return found->pw_name;
    return "uid " + std::to_string(user);
}

/// The nearest folder that exists at or above `path`, with its owner and rights.
std::string rights_of(fs::path path) {
    struct stat facts {};
    while (::stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        if (!path.has_parent_path() || path.parent_path() == path) return {};
        path = path.parent_path();
    }
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%03o", static_cast<unsigned>(facts.st_mode & 07777));
    return "; " + path.string() + " belongs to " + user_name(facts.st_uid) + " with rights " + mode.data();
}

}  // namespace

void fail(const std::string& action, const fs::path& path, int cause) {
    std::string text = action + ' ' + path.string() + ": " + std::generic_category().message(cause);
    const bool lacks_rights = cause == EACCES || cause == EPERM;
    if (lacks_rights) text += " for user " + user_name(::geteuid()) + rights_of(path);
    const bool is_full = cause == ENOSPC || cause == EDQUOT;
    const td_status status = is_full ? TD_NO_SPACE : lacks_rights ? TD_DENIED : TD_FAILED;
    const bool is_hopeless = cause == ENAMETOOLONG || cause == EILSEQ || cause == EINVAL;
    throw Error(status, text, !is_hopeless);
}

}  // namespace tapedeck::local
