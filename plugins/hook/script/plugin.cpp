// hook.script: runs a script for every finished recording, as Flashphoner's on_record_hook_script, and one to admit
// publishers.
#include "tapedeck/plugin.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "facts.hpp"
#include "process.hpp"

namespace tapedeck::script {

class Script final : public Hook {
public:
    static constexpr const char* id = "script";
    static constexpr const char* doc = "Runs a script for every finished recording";
    static constexpr auto on_record =
        Key::path("script", "bin/on_record_hook.sh")
            .aka("on_record_hook_script")
            .reload()
            .about("Run for each finished file with the stream's name and the absolute file; empty: none");
    static constexpr auto admits = Key::path("admit_script", "")
                                       .reload()
                                       .about(
                                           "Asked for each publisher with the stream's name and the client's "
                                           "address; exit code 0 admits; empty: nobody is asked");
    static constexpr auto limit = Key::duration("timeout", "60s")
                                      .within(100'000, 86'400'000'000)
                                      .reload()
                                      .about("A script that runs longer is ended with all that it started");
    static constexpr auto retries = Key::integer("retries", "3")
                                        .within(0, 1000)
                                        .reload()
                                        .about("How often a script that failed is run again for the same file");
    static constexpr auto workers =
        Key::integer("workers", "4").within(1, 64).about("Scripts at a time, files of one media session in order");
    static constexpr auto home = Key::path("home", "./").about("Folder in which scripts run; their TAPEDECK_HOME");
    static constexpr std::array keys{on_record, admits, limit, retries, workers, home};

    explicit Script(Context context) : context_(context) {
        const std::string program(context_.text(on_record));
        if (program.empty() || ::access(program.c_str(), X_OK) == 0) return;
        context_.warning("script: " + program + " does not exist or is not executable; put it there, or name another " +
                         "with setting 'on_record_hook_script', or none with an empty value");
    }

    /// Recordings of several streams have a hook of their own.
    void event(const td_event& event) {
        const auto& recording = *event.recording;
        const auto program = context_.text(on_record);
        if (event.kind != TD_RECORD_STORED || program.empty() || (recording.flags & TD_RECORDING_MULTI) != 0) return;
        const auto outcome = run_for(event, program);
        const auto what = name_of(program) + " for '" + printable(view(recording.stream)) + "'";
        show(what, outcome);
        if (outcome.succeeded()) return;
        if (outcome.end == Outcome::cancelled) throw Error(TD_CANCELLED, what + " was ended: the host stops", true);
        throw Error(TD_FAILED, what + ' ' + why(outcome), event.attempt <= context_.integer(retries));
    }

    void admit(int action, const td_stream_info& client) {
        const auto program = context_.text(admits);
        if (action != TD_PUBLISH || program.empty()) return;
        const auto outcome = run({.program = program,
                                  .arguments = {std::string(view(client.name)), std::string(view(client.remote))},
                                  .environment = facts_of(client, context_.text(home)),
                                  .folder = context_.text(home),
                                  .limit = std::chrono::ceil<std::chrono::milliseconds>(context_.duration(limit)),
                                  .grace = std::chrono::milliseconds(0)},  // other publishers wait behind it
                                 [this] { return context_.cancelled(); });
        if (outcome.succeeded()) return;
        const auto what = name_of(program) + " for '" + printable(view(client.name)) + "'";
        if (outcome.end != Outcome::exited) throw Error(TD_TIMEOUT, what + ' ' + why(outcome));
        // The first line that it writes is what the client hears.
        const auto line = std::string_view(outcome.output).substr(0, outcome.output.find('\n'));
        throw Error(TD_DENIED, line.empty() ? "refused by the server's admission script" : printable(line));
    }

private:
    /// A script that cannot be run has done nothing, and may be put right by the next attempt.
    Outcome run_for(const td_event& event, std::string_view program) {
        const auto& recording = *event.recording;
        try {
            return run({.program = program,
                        .arguments = {std::string(view(recording.stream)), std::string(view(recording.path))},
                        .environment = facts_of(event, context_.text(home)),
                        .folder = context_.text(home),
                        .limit = std::chrono::ceil<std::chrono::milliseconds>(context_.duration(limit))},
                       [this] { return context_.cancelled(); });
        } catch (const Error& error) {
            throw Error(error.status(), error.what(), true);
        }
    }

    static std::string name_of(std::string_view program) { return std::filesystem::path(program).filename(); }

    std::string why(const Outcome& outcome) const {
        switch (outcome.end) {
            case Outcome::exited:
                return "failed with exit code " + std::to_string(outcome.code) + last_line(outcome);
            case Outcome::signalled:
                return "was ended by signal " + std::to_string(outcome.code) + last_line(outcome);
            case Outcome::timed_out:
                return "was ended: it ran longer than " + shown(context_.duration(limit)) + " (hook.script.timeout)";
            case Outcome::cancelled:
                break;
        }
        return "was ended before it had answered";
    }

    static std::string shown(std::chrono::microseconds time) {
        const auto whole = time / std::chrono::milliseconds(1);
        return whole % 1000 == 0 ? std::to_string(whole / 1000) + " s" : std::to_string(whole) + " ms";
    }

    static std::string last_line(const Outcome& outcome) {
        std::string_view text = outcome.output;
        while (text.ends_with('\n')) text.remove_suffix(1);
        if (text.empty()) return {};
        const auto start = text.rfind('\n');
        return ": " + printable(text.substr(start == std::string_view::npos ? 0 : start + 1));
    }

    /// What the script wrote, in the log: as a warning when it failed.
    void show(const std::string& what, const Outcome& outcome) const {
        const auto log = [&](const std::string& text) {
            outcome.succeeded() ? context_.info(what + ": " + text) : context_.warning(what + ": " + text);
        };
        std::size_t lines = 0;
        std::string_view rest = outcome.output;
        for (; !rest.empty() && lines < most_lines; ++lines) {
            const auto line = rest.substr(0, rest.find('\n'));
            if (!line.empty()) log(printable(line, 400));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        }
        if (const auto more = rest.size() + outcome.output_dropped; more > 0)
            log(std::to_string(more) + " bytes of its output are left out");
    }

    static constexpr std::size_t most_lines = 100;

    Context context_;
};

}  // namespace tapedeck::script

TAPEDECK_PLUGIN("hook-script", TAPEDECK_VERSION, "Tapedeck", "MIT", "Runs scripts for finished recordings",
                tapedeck::script::Script);
