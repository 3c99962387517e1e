#include "plugin/choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "config/schema.hpp"

namespace tapedeck::host {
namespace {

using Names = std::set<std::string, std::less<>>;

constexpr std::array kinds{"protocol", "transform", "writer", "reader", "naming", "storage", "hook"};

bool is_file(const std::filesystem::path& file, std::string_view wish) {
    const std::string path = file.string();
    return path == wish || path.ends_with("/" + std::string(wish));
}

std::string did_you_mean(const Names& names, std::string_view name) {
    const auto near = nearest_of(names, name);
    return near ? fmt::format("; did you mean '{}'?", *near) : std::string{};
}

/// File names, or whole paths where two are alike.
std::string file_list(const std::vector<std::filesystem::path>& files) {
    Names names;
    for (const auto& file : files) names.insert(file.filename().string());
    std::vector<std::string> shown;
    for (const auto& file : files)
        shown.push_back(names.size() == files.size() ? file.filename().string() : file.string());
    return fmt::format("{}", fmt::join(shown, " and "));
}

class Planner {
public:
    Planner(const std::vector<Candidate>& candidates, const std::vector<RefusedFile>& refused,
            const PluginWishes& wishes)
        : candidates_(candidates), refused_(refused), wishes_(wishes) {
        for (std::size_t i = 0; i < candidates.size(); ++i) by_name_[candidates[i].name].push_back(i);
    }

    PluginPlan run(const std::function<std::vector<std::string>(std::size_t)>& missing) {
        for (const auto& [name, file] : wishes_.files)
            if (!by_name_.contains(name)) wished_in_vain(name, file);
        for (const auto& [name, indices] : by_name_)
            if (!name.starts_with("reader.")) pick(name, indices);
        for (const auto& [name, indices] : by_name_)
            if (name.starts_with("reader.")) pick(name, indices);
        if (wishes_.enable) {
            switch_on(*wishes_.enable);
        } else {
            for (const auto& [name, index] : usable_) {
                const auto keys = missing(index);
                if (keys.empty())
                    plan_.on.insert(index);
                else
                    plan_.notes[index] = fmt::format("off: {} is not set", fmt::join(keys, ", "));
            }
            for (const auto& [name, text] : ambiguous_) plan_.warnings.push_back(text);
        }
        for (const RefusedFile& file : refused_)
            if (!blamed_.contains(file.message)) plan_.warnings.push_back(file.message);
        return std::move(plan_);
    }

private:
    void wished_in_vain(const std::string& name, const std::string& file) {
        const auto refused =
            std::ranges::find_if(refused_, [&](const RefusedFile& one) { return is_file(one.file, file); });
        const std::string setting = fmt::format("plugin.{} = {}", name, printable(file));
        if (refused != refused_.end()) {
            blamed_.insert(refused->message);
            plan_.errors.push_back(fmt::format("{}: {}", setting, refused->message));
            return;
        }
        Names names;
        for (const auto& [known, indices] : by_name_) names.insert(known);
        plan_.errors.push_back(fmt::format("{}: no plugin offers {}{}", setting, name, did_you_mean(names, name)));
    }

    /// Finds the one file that serves `name`.
    void pick(const std::string& name, const std::vector<std::size_t>& indices) {
        if (const auto wish = wishes_.files.find(name); wish != wishes_.files.end()) {
            pick_wished(name, wish->second, indices);
            return;
        }
        if (indices.size() == 1) {
            usable_[name] = indices.front();
            return;
        }
        if (const auto with_writer = of_writers_file(name, indices); with_writer) {
            usable_[name] = *with_writer;
            for (const std::size_t index : indices)
                if (index != *with_writer) plan_.notes[index] = "another file serves the writer of this id";
            return;
        }
        std::vector<std::filesystem::path> files;
        for (const std::size_t index : indices) files.push_back(candidates_[index].file);
        if (const auto used = std::ranges::find_if(indices, [&](std::size_t i) { return candidates_[i].in_use; });
            used != indices.end()) {
            keep_in_use(name, *used, indices, files);
            return;
        }
        ambiguous_[name] =
            fmt::format("{} is offered by {}; none is used until the configuration says which: plugin.{} = {}", name,
                        file_list(files), name, files.front().filename().string());
        for (const std::size_t index : indices)
            plan_.notes[index] = fmt::format("several files offer it; say which: plugin.{} = {}", name,
                                             candidates_[index].file.filename().string());
    }

    /// A file that appears while the server runs must not end what the other one is doing.
    void keep_in_use(const std::string& name, std::size_t used, const std::vector<std::size_t>& indices,
                     const std::vector<std::filesystem::path>& files) {
        const std::string file = candidates_[used].file.filename().string();
        usable_[name] = used;
        for (const std::size_t index : indices)
            if (index != used) plan_.notes[index] = fmt::format("{} is in use", file);
        plan_.warnings.push_back(
            fmt::format("{} is offered by {}; {} stays in use, but the next start uses none until the "
                        "configuration says which: plugin.{} = {}",
                        name, file_list(files), file, name, file));
    }

    void pick_wished(const std::string& name, const std::string& wish, const std::vector<std::size_t>& indices) {
        std::vector<std::filesystem::path> matches;
        for (const std::size_t index : indices) {
            if (is_file(candidates_[index].file, wish)) {
                matches.push_back(candidates_[index].file);
                usable_[name] = index;
            } else {
                plan_.notes[index] = fmt::format("plugin.{} = {} is used", name, printable(wish));
            }
        }
        if (matches.size() == 1) return;
        usable_.erase(name);
        if (matches.empty()) {
            std::vector<std::filesystem::path> files;
            for (const std::size_t index : indices) files.push_back(candidates_[index].file);
            plan_.errors.push_back(
                fmt::format("plugin.{} = {}: {} is offered by {} only", name, printable(wish), name, file_list(files)));
        } else {
            plan_.errors.push_back(fmt::format("plugin.{} = {}: fits {}; give more of the path", name, printable(wish),
                                               file_list(matches)));
        }
    }

    std::optional<std::size_t> of_writers_file(const std::string& name, const std::vector<std::size_t>& indices) const {
        constexpr std::string_view prefix = "reader.";
        if (!name.starts_with(prefix)) return std::nullopt;
        const auto writer = usable_.find("writer." + name.substr(prefix.size()));
        if (writer == usable_.end()) return std::nullopt;
        for (const std::size_t index : indices)
            if (candidates_[index].file == candidates_[writer->second].file) return index;
        return std::nullopt;
    }

    void switch_on(const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            if (const auto found = usable_.find(name); found != usable_.end()) {
                plan_.on.insert(found->second);
            } else if (const auto several = ambiguous_.find(name); several != ambiguous_.end()) {
                plan_.errors.push_back("enable: " + several->second);
            } else if (!by_name_.contains(name)) {
                plan_.errors.push_back(why_not(name));
            }  // else its `plugin.` setting is an error already
        }
        for (const auto& [name, index] : usable_) {
            const bool with_writer =
                name.starts_with("reader.") &&
                std::ranges::any_of(names, [&](const std::string& one) { return one == "writer." + name.substr(7); });
            if (with_writer) plan_.on.insert(index);
            if (!plan_.on.contains(index)) plan_.notes.try_emplace(index, "not enabled");
        }
    }

    std::string why_not(const std::string& name) {
        const auto dot = name.find('.');
        const std::string kind = name.substr(0, dot);
        if (dot == std::string::npos || std::ranges::find(kinds, kind) == kinds.end()) {
            return fmt::format("enable: '{}' is not a plugin's name; those are <kind>.<id> with a kind of {}{}",
                               printable(name), fmt::join(kinds, ", "), did_you_mean(known_names(), name));
        }
        const std::string id = name.substr(dot + 1);
        for (const RefusedFile& file : refused_) {
            const std::string stem = file.file.stem().string();
            if (std::ranges::find(file.names, name) != file.names.end() || stem == id || stem == kind + '_' + id) {
                blamed_.insert(file.message);
                return fmt::format("enable: {}: {}", name, file.message);
            }
        }
        return fmt::format("enable: {}: no plugin file offers it{}", printable(name),
                           did_you_mean(known_names(), name));
    }

    Names known_names() const {
        Names names;
        for (const auto& [name, indices] : by_name_) names.insert(name);
        return names;
    }

    const std::vector<Candidate>& candidates_;
    const std::vector<RefusedFile>& refused_;
    const PluginWishes& wishes_;
    PluginPlan plan_;
    std::map<std::string, std::vector<std::size_t>> by_name_;
    std::map<std::string, std::size_t> usable_;
    std::map<std::string, std::string> ambiguous_;
    std::set<std::string> blamed_;  // messages that are part of an error
};

}  // namespace

PluginPlan plan_plugins(const std::vector<Candidate>& candidates, const std::vector<RefusedFile>& refused,
                        const PluginWishes& wishes,
                        const std::function<std::vector<std::string>(std::size_t candidate)>& missing) {
    return Planner(candidates, refused, wishes).run(missing);
}

std::optional<std::vector<std::string>> parse_enable(const std::string& text) {
    std::vector<std::string> names;
    std::string name;
    for (const char c : text + ',') {
        if (c == ',' || c == ' ' || c == '\t') {
            if (!name.empty()) names.push_back(std::exchange(name, {}));
        } else {
            name += c;
        }
    }
    return names.empty() ? std::nullopt : std::optional(std::move(names));
}

}  // namespace tapedeck::host
