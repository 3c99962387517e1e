#include "config/arguments.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

/// Goes through the arguments and takes out options with their values.
class Taker {
public:
    explicit Taker(std::span<const std::string> left) : left_(left) {}

    bool done() const { return left_.empty(); }
    const std::string& front() const { return left_.front(); }
    std::string take() {
        std::string argument = left_.front();
        left_ = left_.subspan(1);
        return argument;
    }

    /// The value of `option` when it is the next argument.
    std::optional<std::string> value_of(std::string_view option) {
        const std::string_view next = left_.front();
        const bool short_form = option.size() == 2;
        if (next != option) {
            if (!next.starts_with(option) || (!short_form && next[option.size()] != '=')) return std::nullopt;
            return take().substr(option.size() + (short_form ? 0 : 1));
        }
        take();
        if (left_.empty()) throw Error(fmt::format("{} needs a value", option), TD_MALFORMED);
        return take();
    }

private:
    std::span<const std::string> left_;
};

fs::path default_home(const fs::path& executable) {
    const fs::path folder = executable.parent_path();
    return folder.filename() == "bin" ? folder.parent_path() : fs::current_path();
}

}  // namespace

ConfigArguments parse_config_arguments(std::span<const std::string> arguments, const fs::path& executable) {
    ConfigArguments result;
    std::string home, file;
    for (Taker taker(arguments); !taker.done();) {
        if (taker.front() == "--") {
            while (!taker.done()) result.rest.push_back(taker.take());
        } else if (auto home_value = taker.value_of("--home")) {
            home = std::move(*home_value);
        } else if (auto file_value = taker.value_of("--config")) {
            file = std::move(*file_value);
        } else if (auto setting = taker.value_of("-D")) {
            result.overrides.push_back(std::move(*setting));
        } else {
            result.rest.push_back(taker.take());
        }
    }
    result.home = fs::absolute(home.empty() ? default_home(executable) : fs::path(home)).lexically_normal();
    if (!result.home.has_filename()) result.home = result.home.parent_path();
    std::error_code status;
    if (!fs::is_directory(result.home, status))
        throw Error(fmt::format("--home {}: no such folder", printable(result.home.native(), 4096)), TD_NOT_FOUND);
    const fs::path usual = result.home / "conf" / "flashphoner.properties";
    if (!file.empty())
        result.file = fs::absolute(file).lexically_normal();
    else if (fs::exists(usual, status))
        result.file = usual;
    return result;
}

}  // namespace tapedeck::host
