#include "config/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "config/wcs_names.hpp"

namespace tapedeck::host {
namespace {

constexpr std::array<std::string_view, 7> kinds{"protocol", "transform", "writer", "reader",
                                                "naming",   "storage",   "hook"};
constexpr std::size_t names_in_summary = 24;

bool is_plugin_key(std::string_view name) {
    const auto dot = name.find('.');
    return dot != std::string_view::npos && std::ranges::find(kinds, name.substr(0, dot)) != kinds.end();
}

/// `writer.mp4` of `writer.mp4.fragment`, without its name where there is none.
std::string_view owner_of(std::string_view name) {
    return name.substr(0, name.find('.', name.find('.') + 1));
}

/// A line of the report with the place it is sorted by.
struct Finding {
    std::size_t line;
    std::string text;
};

class Checker {
public:
    explicit Checker(const Settings& settings)
        : schema_(settings.schema()), written_(settings.written()), known_(schema_.names()) {
        flat_ = known_;
        flat_.insert(wcs_names().begin(), wcs_names().end());
    }

    CheckReport report(const Settings& settings) {
        for (const auto& problem : settings.problems())
            errors_.push_back({problem.line, fmt::format("{}: {}", problem.place, problem.text)});
        for (const auto& note : written_.lines.notes)
            warnings_.push_back(
                {note.line, fmt::format("{}:{}: {}", written_.file, note.line, printable(note.text, 400))});
        for (const Property& property : written_.lines.entries) judge(property);
        for (const Property& property : written_.overrides) judge(property);
        contradictions();
        CheckReport result{in_order(errors_), in_order(warnings_), summary()};
        for (const auto& [owner, facts] : schema_.owners())
            for (const std::string& name : facts.enabled ? settings.missing(owner) : std::vector<std::string>())
                result.errors.push_back(fmt::format("{}: '{}' is required; set it, or take {} out of 'enable'",
                                                    written_.file, name, owner));
        return result;
    }

private:
    static std::vector<std::string> in_order(std::vector<Finding>& findings) {
        std::ranges::stable_sort(findings, {}, &Finding::line);
        std::vector<std::string> texts;
        for (Finding& finding : findings) texts.push_back(std::move(finding.text));
        return texts;
    }

    void judge(const Property& property) {
        const std::string& key = property.key;
        if (schema_.knows(key)) return;
        const bool wcs = wcs_names().contains(key);
        const auto near = nearest_of(is_plugin_key(key) ? known_ : flat_, key);
        // A flat name may be anything of WCS; a name that only this server has, or is like one, is meant for it.
        const bool ours = is_plugin_key(key) || (near && is_plugin_key(*near));
        if (!wcs && (ours || property.line == 0))
            errors_.push_back({property.line, unknown(property, near)});
        else if (!wcs && near)
            warnings_.push_back({property.line, unknown(property, near)});
        else
            ignored_.push_back(printable(key));
    }

    std::string unknown(const Property& property, const std::optional<std::string>& near) const {
        const std::string& key = property.key;
        std::string way_out = "; conf/reference.md has all names";
        if (near)
            way_out = fmt::format("; did you mean '{}'?", *near);
        else if (is_plugin_key(key) && !schema_.owners().contains(owner_of(key)))
            way_out = fmt::format("; there is no plugin {}, see --list-plugins", printable(owner_of(key)));
        return fmt::format("{}: unknown key '{}'{}", written_.place(property), printable(key), way_out);
    }

    /// A full name and its alias with different values in one file.
    void contradictions() {
        for (const auto& [name, declared] : schema_.keys()) {
            if (declared.key->alias == nullptr) continue;
            const Property* full = written_.lines.find(name);
            const Property* alias = written_.lines.find(declared.key->alias);
            if (full != nullptr && alias != nullptr && full->value != alias->value)
                warnings_.push_back({alias->line, fmt::format("{}: '{}' does not count for '{}', set in line {}",
                                                              written_.place(*alias), alias->key, name, full->line)});
        }
    }

    std::string summary() const {
        if (ignored_.empty()) return {};
        const std::size_t shown_names = std::min(ignored_.size(), names_in_summary);
        std::string text =
            fmt::format("{}: {} setting{} that this server has no use for {} ignored: {}", written_.file,
                        ignored_.size(), ignored_.size() == 1 ? "" : "s", ignored_.size() == 1 ? "is" : "are",
                        fmt::join(ignored_.begin(), ignored_.begin() + static_cast<std::ptrdiff_t>(shown_names), ", "));
        if (ignored_.size() > shown_names) text += fmt::format(" and {} more", ignored_.size() - shown_names);
        return text;
    }

    const Schema& schema_;
    const Written& written_;
    std::set<std::string, std::less<>> known_;  ///< names that are declared
    std::set<std::string, std::less<>> flat_;   ///< those and WCS's own
    std::vector<Finding> errors_, warnings_;
    std::vector<std::string> ignored_;
};

}  // namespace

CheckReport check(const Settings& settings) {
    return Checker(settings).report(settings);
}

std::string CheckReport::text() const {
    std::string text;
    for (const auto& line : errors) text += fmt::format("error: {}\n", line);
    for (const auto& line : warnings) text += fmt::format("warning: {}\n", line);
    if (!ignored.empty()) text += ignored + "\n";
    return text;
}

}  // namespace tapedeck::host
