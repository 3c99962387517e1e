#include "app/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "access/password.hpp"
#include "app/app.hpp"
#include "app/keys.hpp"
#include "app/setup.hpp"
#include "app/signals.hpp"
#include "base/log.hpp"
#include "config/reference.hpp"
#include "plugin/probe.hpp"
#include "store/recovery.hpp"

namespace tapedeck::host {
namespace {

constexpr const char* usage = R"(tapedeck [--home DIR] [--config FILE] [-D key=value]... [what]

Without a [what] the server runs until SIGTERM; SIGHUP reads the settings again.

  --check-config     judge the settings; exit 1 when something is wrong
  --list-plugins     every plugin file with its kinds, or why it is refused
  --reference        all settings as Markdown, as in conf/reference.md
  --recover FILE     make one torn recording whole
  --hash-password    read a password, print its hash for conf/access.yaml
  --new-token        print a token and its hash for conf/access.yaml
  --version, --help
)";

log::Options log_options(const Scope& settings) {
    static constexpr std::string_view levels[] = {"debug", "info", "warning", "error"};
    const std::string level = settings.text(log_level);
    log::Options options;
    options.folder = settings.path(log_dir);
    options.json = settings.text(log_format) == "json";
    for (int i = 0; i < 4; ++i) {
        if (level == levels[i]) options.level = static_cast<log::Level>(i);
    }
    options.file_bytes = settings.bytes(log_file_size);
    options.files = static_cast<std::size_t>(settings.integer(log_files));
    return options;
}

int serve(Setup& setup) {
    log::open(log_options(setup.settings));
    setup.choose();
    {
        App app(setup);
        app.start();
        while (wait_for_signal() == Signal::Reload) {
            app.reload();
            try {
                log::open(log_options(setup.settings));
            } catch (const std::exception& e) {
                log::error("the log goes on as it was: {}", e.what());
            }
        }
        if (!app.stop()) {
            log::flush();
            std::_Exit(0);
        }
    }
    return 0;
}

int check_config(Setup& setup) {
    std::size_t errors = 0;
    const std::string text = setup.check(errors);
    fmt::print("{}", text);
    if (errors == 0) fmt::print("the settings are good\n");
    return errors == 0 ? 0 : 1;
}

int hash_password_of_input() {
    std::string password;
    if (::isatty(0) == 1) std::cerr << "password: ";
    std::getline(std::cin, password);
    if (password.empty()) throw Error("--hash-password reads the password from its input, which is empty");
    fmt::print("{}\n", hash_password(password));
    return 0;
}

int dispatch(const std::filesystem::path& executable, std::span<const std::string> arguments) {
    const ConfigArguments config = parse_config_arguments(arguments, executable);
    const std::string what = config.rest.empty() ? "" : config.rest.front();
    const std::size_t operands = what == "--recover" ? 2 : what.empty() ? 0 : 1;
    if (config.rest.size() != operands) {
        const std::string& odd = config.rest.size() > operands ? config.rest[operands] : what;
        throw Error(fmt::format("'{}' {}; --help shows what there is", odd,
                                config.rest.size() > operands ? "is not expected" : "wants a file"));
    }
    if (what == "--help") {
        fmt::print("{}", usage);
        return 0;
    }
    if (what == "--version") {
        fmt::print("tapedeck {} (SDK {}.{})\n", TAPEDECK_VERSION, TD_SDK_MAJOR, TD_SDK_MINOR);
        return 0;
    }
    if (what == "--hash-password") return hash_password_of_input();
    if (what == "--new-token") {
        const std::string token = new_token();
        fmt::print("{}\n{}\n", token, hash_token(token));
        return 0;
    }
    if (!what.empty() && what != "--check-config" && what != "--list-plugins" && what != "--reference" &&
        what != "--recover") {
        throw Error(fmt::format("'{}' is unknown; --help shows what there is", what));
    }
    // Plugins keep pointers into it and are never unloaded, so it is never destroyed.
    static Setup& setup = *new Setup(executable, config);
    if (what.empty()) return serve(setup);
    if (what == "--check-config") return check_config(setup);
    if (what == "--list-plugins") {
        try {
            setup.registry.choose();
        } catch (const Error& e) {
            fmt::print(stderr, "{}\n", e.what());
        }
        fmt::print("{}", setup.registry.listing());
        return 0;
    }
    if (what == "--reference") {
        fmt::print("{}", reference(setup.source.current()->schema()));
        return 0;
    }
    setup.choose();
    const auto found = recover_one(config.rest[1], [&](std::string_view kind) { return setup.registry.all(kind); });
    fmt::print("{}: {} packets, {:.3f} s\n", found.path.string(), found.packets,
               static_cast<double>(std::max<std::int64_t>(found.duration_us, 0)) / 1e6);
    return 0;
}

}  // namespace

int run_command_line(const std::filesystem::path& executable, std::span<const std::string> arguments) {
    if (arguments.size() == 2 && arguments[0] == "--probe") return probe_main(arguments[1]);
    hold_signals();
    try {
        const int code = dispatch(executable, arguments);
        log::flush();
        return code;
    } catch (const std::exception& e) {
        log::error("{}", e.what());
        log::flush();
        return 1;
    }
}

}  // namespace tapedeck::host
