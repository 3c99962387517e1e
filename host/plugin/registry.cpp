#include "plugin/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/choice.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/keys.hpp"
#include "plugin/library.hpp"
#include "plugin/search.hpp"

namespace fs = std::filesystem;

namespace tapedeck::host {

/// Changed on the control thread only; the mutex is for those who read meanwhile.
struct Registry::Impl {
    fs::path executable;
    SettingsSource& source;
    Services& services;
    std::chrono::milliseconds probe_limit;
    mutable std::shared_mutex mutex;
    std::map<fs::path, std::unique_ptr<FoundFile>> found;
    std::vector<std::unique_ptr<FoundFile>> gone;  // files judged anew; the schema still points to their keys
    std::map<std::string, const Extension*, std::less<>> active;
    std::set<std::string> said;  // each warning is given once

    void warn(const std::string& text) {
        if (said.insert(text).second) log::write(log::Level::Warning, text);
    }
    /// Each extension of each file that would load, with its file.
    using Offers = std::vector<std::pair<FoundFile*, OfferedExtension*>>;

    bool needs_judging(const fs::path& file);
    void forget_missing();
    void adopt(std::unique_ptr<FoundFile> judged);
    std::vector<std::string> missing(const OfferedExtension& offer) const;
    void load(FoundFile& file);
    void make_extension(FoundFile& file, OfferedExtension& offer);
    Offers usable() const;
    PluginPlan plan(const Offers& offers, const PluginWishes& wishes) const;
    /// False: some did not load and are refused now. Throws when the operator asked for them by name.
    bool load_all(const Offers& offers, const std::set<std::size_t>& on, bool asked_for);
    std::vector<const Extension*> activate(const Offers& offers, const PluginPlan& plan);
};

bool Registry::Impl::needs_judging(const fs::path& file) {
    const auto known = found.find(file);
    if (known == found.end()) return true;
    const FoundFile& judged = *known->second;
    if (!judged.verdict.loads) return true;  // what it lacked may have come
    if (judged.stamp == stamp_of(file)) return false;
    if (judged.loaded == nullptr) return true;
    warn(fmt::format("{}: was replaced while in use; the new one is loaded at the next start", file.string()));
    return false;
}

void Registry::Impl::forget_missing() {
    const std::unique_lock lock(mutex);
    for (auto file = found.begin(); file != found.end();) {
        if (file->second->loaded == nullptr && !fs::exists(file->first)) {
            gone.push_back(std::move(file->second));
            file = found.erase(file);
        } else {
            ++file;
        }
    }
}

void Registry::Impl::adopt(std::unique_ptr<FoundFile> judged) {
    for (const std::string& warning : judged->verdict.warnings) warn(warning);
    try {
        for (OfferedExtension& offer : judged->offers) {
            offer.note = "not enabled";
            if (!active.contains(offer.name)) source.declare(offer.name, offer.doc, offer.keys->view(), false);
        }
    } catch (const Error& error) {  // a default that does not parse, a name twice
        judged->refuse(error.what());
    }
    const std::unique_lock lock(mutex);
    auto& place = found[judged->path];
    if (place != nullptr) gone.push_back(std::move(place));
    place = std::move(judged);
}

std::vector<std::string> Registry::Impl::missing(const OfferedExtension& offer) const {
    const auto settings = source.current();
    std::vector<std::string> names;
    for (const td_key* key : offer.keys->view()) {
        if ((key->flags & TD_KEY_REQUIRED) == 0) continue;
        const Declared declared{key, offer.name, offer.name + '.' + key->name};
        const Property* property = settings->written().find(declared);
        if (property == nullptr || property->value.empty()) names.push_back(declared.name);
    }
    return names;
}

void Registry::Impl::load(FoundFile& file) {
    if (file.loaded != nullptr) return;
    const td_plugin& plugin = load_plugin(file.path);
    if (describe(plugin, TD_SDK_MAJOR) != *file.facts.probe->descriptor) {
        throw Error(file.facts.extra_exports.empty()
                        ? "it changed after it was probed; restart the server"
                        : "its symbols mix with those of another plugin; build it with tapedeck_add_plugin()");
    }
    file.loaded = &plugin;
}

void Registry::Impl::make_extension(FoundFile& file, OfferedExtension& offer) {
    if (offer.extension != nullptr) return;
    auto extension = std::make_unique<Extension>();
    for (const td_extension* one : std::span(file.loaded->extensions, file.loaded->extension_count))
        if (one->id == offer.id && kind_of_interface(one->interface_id) == offer.kind) extension->declared = one;
    extension->kind = offer.kind;
    extension->id = offer.id;
    extension->plugin = file.loaded;
    extension->file = file.path;
    offer.context = std::make_unique<td_context>(offer.kind, offer.id, extension->declared, source, services);
    extension->context = offer.context.get();
    offer.extension = std::move(extension);
}

Registry::Registry(fs::path executable, SettingsSource& source, Services& services,
                   std::chrono::milliseconds probe_limit)
    : impl_(new Impl{std::move(executable), source, services, probe_limit, {}, {}, {}, {}, {}}) {}

Registry::~Registry() {
    // Threads of plugins use contexts, and snapshots of settings use keys, until the process ends.
    static auto& immortal = *new std::vector<std::unique_ptr<Impl>>;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    immortal.push_back(std::move(impl_));
}

void Registry::search(const fs::path& shipped) {
    impl_->forget_missing();
    std::vector<fs::path> files = plugin_files(plugin_folders(*impl_->source.current(), shipped));
    std::erase_if(files, [this](const fs::path& file) { return !impl_->needs_judging(file); });
    for (auto& judged : judge_files(files, impl_->executable, impl_->probe_limit)) impl_->adopt(std::move(judged));
}

Registry::Impl::Offers Registry::Impl::usable() const {
    Offers offers;
    for (const auto& [path, file] : found) {
        if (!file->verdict.loads) continue;
        for (OfferedExtension& offer : file->offers) offers.emplace_back(file.get(), &offer);
    }
    return offers;
}

PluginPlan Registry::Impl::plan(const Offers& offers, const PluginWishes& wishes) const {
    std::vector<Candidate> candidates;
    for (const auto& [file, offer] : offers) candidates.push_back({offer->name, file->path, offer->active});
    std::vector<RefusedFile> refused;
    for (const auto& [path, file] : found)
        if (!file->verdict.loads) refused.push_back({path, file->verdict.message, file->names()});
    return plan_plugins(candidates, refused, wishes, [&](std::size_t index) { return missing(*offers[index].second); });
}

bool Registry::Impl::load_all(const Offers& offers, const std::set<std::size_t>& on, bool asked_for) {
    bool all_loaded = true;
    for (const std::size_t index : on) {
        FoundFile& file = *offers[index].first;
        try {
            load(file);
        } catch (const std::exception& error) {  // a constructor may throw here what it did not throw in the child
            if (asked_for) throw Error(fmt::format("{}: {}", printable(file.facts.file, 255), error.what()));
            const std::unique_lock lock(mutex);
            file.refuse(error.what());
            all_loaded = false;
        }
    }
    return all_loaded;
}

std::vector<const Extension*> Registry::Impl::activate(const Offers& offers, const PluginPlan& plan) {
    std::map<std::string, const Extension*, std::less<>> now_active;
    std::vector<const Extension*> fresh;
    const std::unique_lock lock(mutex);
    for (std::size_t index = 0; index < offers.size(); ++index) {
        const auto& [file, offer] = offers[index];
        const auto note = plan.notes.find(index);
        offer->active = plan.on.contains(index);
        offer->note = offer->active || note == plan.notes.end() ? "" : note->second;
        if (!offer->active) continue;
        make_extension(*file, *offer);
        const Extension* extension = now_active[offer->name] = offer->extension.get();
        const auto before = active.find(offer->name);
        if (before != active.end() && before->second == extension) continue;
        fresh.push_back(extension);
        source.declare(offer->name, offer->doc, offer->keys->view(), true);
    }
    for (const auto& [file, offer] : offers)
        if (active.contains(offer->name) && !now_active.contains(offer->name))
            source.declare(offer->name, offer->doc, offer->keys->view(), false);
    active = std::move(now_active);
    return fresh;
}

std::vector<const Extension*> Registry::choose() {
    const auto settings = impl_->source.current();
    const Value* enable = settings->find(enable_plugins.name);
    const PluginWishes wishes{parse_enable(enable == nullptr ? "" : std::string(enable->text)),
                              settings->family(plugin_family)};
    for (;;) {
        const auto offers = impl_->usable();
        const PluginPlan plan = impl_->plan(offers, wishes);
        if (!plan.errors.empty()) throw Error(fmt::format("{}", fmt::join(plan.errors, "\n")), TD_NOT_FOUND);
        if (!impl_->load_all(offers, plan.on, wishes.enable.has_value())) continue;  // without what did not load
        for (const std::string& warning : plan.warnings) impl_->warn(warning);
        return impl_->activate(offers, plan);
    }
}

const Extension* Registry::find(std::string_view kind, std::string_view id) const {
    const std::shared_lock lock(impl_->mutex);
    const auto found = impl_->active.find(fmt::format("{}.{}", kind, id));
    return found == impl_->active.end() ? nullptr : found->second;
}

std::vector<const Extension*> Registry::all(std::string_view kind) const {
    std::vector<const Extension*> result = all();
    std::erase_if(result, [kind](const Extension* extension) { return extension->kind != kind; });
    return result;
}

std::vector<const Extension*> Registry::all() const {
    const std::shared_lock lock(impl_->mutex);
    std::vector<const Extension*> result;
    for (const auto& [name, extension] : impl_->active) result.push_back(extension);
    return result;
}

std::vector<PluginFile> Registry::files() const {
    const std::shared_lock lock(impl_->mutex);
    std::vector<PluginFile> result;
    for (const auto& [path, file] : impl_->found) {
        PluginFile& shown = result.emplace_back(PluginFile{path, file->facts, file->verdict, {}});
        if (!file->verdict.loads) continue;
        for (const OfferedExtension& offer : file->offers)
            shown.offers.push_back({offer.name, offer.doc, offer.active, offer.note});
        for (const auto& offer : file->facts.probe->descriptor->offers) {
            if (!kind_of_interface(offer.interface_id).empty()) continue;
            shown.offers.push_back({fmt::format("{} {}", printable(offer.interface_id), printable(offer.id)),
                                    printable(offer.doc), false, "not supported by this host"});
        }
    }
    return result;
}

std::string Registry::listing() const {
    std::string text;
    for (const PluginFile& file : files()) {
        text += file.path.string() + '\n';
        if (!file.verdict.loads) {
            text += fmt::format("  refused: {}\n", file.verdict.message);
            continue;
        }
        const DescriptorFacts& plugin = *file.facts.probe->descriptor;
        text += fmt::format("  {} {}, {}, {}: {}\n", printable(plugin.name), printable(plugin.version),
                            printable(plugin.vendor), printable(plugin.license), printable(plugin.doc));
        for (const auto& offer : file.offers) {
            text += fmt::format("  {} {:<24} {}{}\n", offer.active ? "+" : "-", offer.name, printable(offer.doc),
                                offer.note.empty() ? "" : " (" + offer.note + ")");
        }
        for (const std::string& warning : file.verdict.warnings) text += fmt::format("  warning: {}\n", warning);
    }
    return text.empty() ? "no plugin files were found\n" : text;
}

void declare_plugin_keys(SettingsSource& source) {
    source.declare("", "", plugin_keys);
    source.declare_family(plugin_family, plugin_family_doc);
}

}  // namespace tapedeck::host
