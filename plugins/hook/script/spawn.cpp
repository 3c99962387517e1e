// Starts a child process whose output comes through a pipe.
#include "spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

#include "tapedeck/context.hpp"

namespace tapedeck::script {

namespace fs = std::filesystem;

namespace {

/// Texts as execve wants them; a NUL byte, which would end a text early, becomes U+FFFD.
class Texts {
public:
    void add(std::string_view text) {
        auto& copy = texts_.emplace_back();
        for (const char c : text) c == '\0' ? copy.append("\xEF\xBF\xBD") : copy.append(1, c);
    }
    char** pointers() {
        pointers_.clear();
        for (auto& text : texts_) pointers_.push_back(text.data());
        pointers_.push_back(nullptr);
        return pointers_.data();
    }

private:
    std::vector<std::string> texts_;
    std::vector<char*> pointers_;
};

/// Signals that a server may ignore; a child would inherit that.
sigset_t usual_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : {SIGPIPE, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM})
        ::sigaddset(&set, number);
    return set;
}

/// Attributes and file actions of one spawn.
class Plan {
public:
    Plan(int output, const fs::path& folder) {
        ::posix_spawnattr_init(&attributes);
        ::posix_spawn_file_actions_init(&actions);
        sigset_t none;
        ::sigemptyset(&none);
        const auto usual = usual_signals();
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &usual);
        ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions, output, 1);
        ::posix_spawn_file_actions_adddup2(&actions, output, 2);
        ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        if (!folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
};

[[noreturn]] void refuse(const Command& command, int cause) {
    const auto name = command.program.string();
    struct stat facts {};
    const bool exists = ::stat(command.program.c_str(), &facts) == 0;
    if (exists && S_ISDIR(facts.st_mode)) throw Error(TD_NOT_FOUND, name + " is a folder, not a script");
    if (cause == ENOENT && !exists) throw Error(TD_NOT_FOUND, "there is no script " + name);
    if (cause == ENOENT && !command.folder.empty() && ::access(command.folder.c_str(), X_OK) != 0)
        throw Error(TD_NOT_FOUND, "there is no folder " + command.folder.string() + " to run " + name + " in");
    if (cause == ENOENT)
        throw Error(TD_NOT_FOUND, name + " names an interpreter in its first line that does not exist (mind CRLF)");
    if (cause == EACCES) throw Error(TD_DENIED, name + " is not executable for this user; try chmod +x");
    const bool may_pass = cause == EAGAIN || cause == ENOMEM || cause == ETXTBSY || cause == EMFILE || cause == ENFILE;
    throw Error(TD_FAILED, "cannot run " + name + ": " + std::generic_category().message(cause), may_pass);
}

}  // namespace

Child spawn(const Command& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) refuse(command, errno);
    Child child{.process = -1, .output = Descriptor(ends[0])};
    const Descriptor input(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);

    Texts arguments;
    arguments.add(command.program.native());
    for (const auto& argument : command.arguments) arguments.add(argument);
    Texts environment;
    for (const auto& own : command.environment) environment.add(own);
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const auto& own : command.environment) replaced = replaced || own.starts_with(name);
        if (!replaced) environment.add(text);
    }

    Plan plan(ends[1], command.folder);
    const auto start = [&](const char* program, char** texts) {
        return ::posix_spawn(&child.process, program, &plan.actions, &plan.attributes, texts, environment.pointers());
    };
    int cause = start(command.program.c_str(), arguments.pointers());
    if (cause == ENOEXEC) {  // no `#!`: the specification's samples are written for bash
        const char* shell = ::access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh";
        Texts by_shell;
        by_shell.add(shell);
        by_shell.add(command.program.native());
        for (const auto& argument : command.arguments) by_shell.add(argument);
        cause = start(shell, by_shell.pointers());
    }
    if (cause != 0) refuse(command, cause);
    return child;
}

}  // namespace tapedeck::script
