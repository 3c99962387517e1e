#include "plugin/probe_child.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "base/error.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/library.hpp"
#include "plugin/probe.hpp"
#include "plugin/probe_report.hpp"
#include "plugin/verdict.hpp"

namespace tapedeck::host {
namespace {

/// What a hand-run `--probe` shows.
void print(const std::filesystem::path& file, const ProbeOutcome& outcome) {
    Facts facts = read_facts(file);
    facts.probe = outcome;
    const Verdict result = verdict(facts, TD_SDK_MAJOR, TD_SDK_MINOR);
    fmt::print("{}\n", result.loads ? fmt::format("{}: loads", facts.file) : result.message);
    for (const std::string& warning : result.warnings) fmt::print("{}\n", warning);
    std::fflush(stdout);
}

std::filesystem::path probed;
bool reports_to_host = false;

/// Ends the process at once: neither destructors nor exit handlers of the plugin run.
[[noreturn]] void report(const ProbeOutcome& outcome) {
    if (!reports_to_host) {
        print(probed, outcome);
        std::_Exit(outcome.end == ProbeOutcome::End::Loaded ? 0 : 1);
    }
    const std::string bytes = encode_report(outcome);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t written = ::write(probe_report_fd, bytes.data() + sent, bytes.size() - sent);
        if (written < 0 && errno != EINTR) break;
        sent += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    std::_Exit(0);
}

std::string current_exception_text() {
    std::string text = "an exception of unknown type";
    if (const std::type_info* type = abi::__cxa_current_exception_type(); type != nullptr) {
        int status = 0;
        char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
        text = readable != nullptr ? readable : type->name();
        std::free(readable);
    }
    try {
        throw;
    } catch (const std::exception& error) {
        text = error.what();
    } catch (...) {  // thrown something else; its type says all there is
    }
    constexpr std::string_view noise = "std::";
    return text.starts_with(noise) ? text.substr(noise.size()) : text;
}

/// The exception may not find its way through the loader's frames; then it ends here.
[[noreturn]] void on_terminate() {
    if (std::current_exception() == nullptr) std::abort();
    report({ProbeOutcome::End::Threw, current_exception_text(), {}});
}

}  // namespace

int probe_main(const std::filesystem::path& file) {
    reports_to_host = std::getenv(probe_report_variable) != nullptr;
    probed = std::filesystem::absolute(file);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::prctl(PR_SET_DUMPABLE, 0);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(signal, SIG_DFL);
    std::set_terminate(on_terminate);
    if (!reports_to_host) {  // the host has looked at the bytes already
        if (const Verdict early = verdict(read_facts(probed), TD_SDK_MAJOR, TD_SDK_MINOR); !early.loads) {
            fmt::print("{}\n", early.message);
            return 1;
        }
    }
    const td_plugin* plugin = nullptr;
    try {
        plugin = &load_plugin(probed);
    } catch (const Error& error) {
        report({ProbeOutcome::End::Refused, error.what(), {}});
    } catch (...) {  // a constructor's, through the loader
        report({ProbeOutcome::End::Threw, current_exception_text(), {}});
    }
    try {
        report({ProbeOutcome::End::Loaded, "", describe(*plugin, TD_SDK_MAJOR)});
    } catch (const Error& error) {
        report({ProbeOutcome::End::Invalid, error.what(), {}});
    }
}

}  // namespace tapedeck::host
