// hook.backend: an application's backend approves who connects, publishes and plays, as Flashphoner's REST hooks do.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "body.hpp"
#include "client.hpp"
#include "tapedeck/plugin.hpp"
#include "tapedeck/utf8.hpp"
#include "url.hpp"

namespace tapedeck::webhook {

class Backend final : public Hook {
public:
    static constexpr const char* id = "backend";
    static constexpr const char* doc = "Asks an application's backend who may connect, publish and play";
    static constexpr auto url = Key::text("url").required().secret().reload().about(
        "Where the application's methods are, http or https; `/connect` and the like are put behind its path");
    static constexpr auto methods =
        Key::text("methods", "connect,publishStream")
            .reload()
            .about("Which are asked, of connect, publishStream and playStream; others are approved");
    static constexpr auto timeout =
        Key::duration("timeout", "5s")
            .within(1'000, 600'000'000)
            .reload()
            .about("A backend that takes longer refuses; `admission_timeout` holds as well");
    static constexpr auto ca_file =
        Key::path("ca_file", "")
            .reload()
            .about("PEM file of the authorities that may vouch for the backend; empty: the system's");
    static constexpr std::array keys{url, methods, timeout, ca_file};

    explicit Backend(Context context) : context_(context) {
        target({});
        check_methods();
        const std::filesystem::path authorities(context_.text(ca_file));
        if (!authorities.empty() && !std::filesystem::exists(authorities))
            throw Error(TD_NOT_FOUND, "hook.backend.ca_file: there is no file " + authorities.string());
    }

    /// Any status but 200 refuses.
    void admit(int action, const td_stream_info& info) {
        check_methods();  // they may have changed by SIGHUP
        const auto method = name_of(action);
        if (!is_asked(method)) return;
        const auto receiver = target(method);
        const auto body = question_of(action, info, node_name());
        const auto status = send({.url = receiver,
                                  .headers = {"Content-Type: application/json"},
                                  .body = body,
                                  .limit = std::chrono::ceil<std::chrono::milliseconds>(context_.duration(timeout)),
                                  .ca_file = context_.text(ca_file)},
                                 [this] { return context_.cancelled(); });
        if (status == 200) return;
        context_.info(std::string(method) + " of '" + valid_utf8(view(info.name)) + "' from " +
                      valid_utf8(view(info.remote)) + ": the backend answered with status " + std::to_string(status));
        throw Error(TD_DENIED, "Restricted access");
    }

private:
    static std::string_view name_of(int action) {
        return action == TD_CONNECT ? "connect" : action == TD_PUBLISH ? "publishStream" : "playStream";
    }

    template <class Work>
    void each_method(Work work) const {
        auto left = context_.text(methods);
        while (!left.empty()) {
            const auto comma = std::min(left.find(','), left.size());
            auto word = left.substr(0, comma);
            left.remove_prefix(std::min(comma + 1, left.size()));
            word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
            word = word.substr(0, word.find_last_not_of(' ') + 1);
            if (!word.empty()) work(word);
        }
    }

    bool is_asked(std::string_view method) const {
        bool found = false;
        each_method([&](std::string_view word) { found = found || word == method; });
        return found;
    }

    void check_methods() const {
        each_method([](std::string_view word) {
            if (word != "connect" && word != "publishStream" && word != "playStream")
                throw Error("hook.backend.methods: '" + std::string(word) +
                            "' is none of connect, publishStream and playStream");
        });
    }

    Url target(std::string_view method) const {
        try {
            Url result(context_.text(url));
            if (!method.empty()) result.append(method);
            return result;
        } catch (const Error& error) {
            throw Error(error.status(), std::string("hook.backend.url: ") + error.what());
        }
    }

    Context context_;
};

}  // namespace tapedeck::webhook
