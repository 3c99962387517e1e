// Hooks in the test's own process that do what the test says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "event/hooks.hpp"
#include "event/keys.hpp"
#include "plugin/context.hpp"
#include "plugin/services.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::doubles {

/// What the two hooks do, by id.
struct Behaviour {
    std::function<void(Context, const td_event&)> event;
    std::function<void(Context, int, const td_stream_info&)> admit;
    static Behaviour& of(const std::string& id) {
        static std::map<std::string, Behaviour> all;
        return all[id];
    }
};

template <char name>
class ScriptedHook : public Hook {
public:
    static constexpr char letters[] = {name, '\0'};
    static constexpr const char *id = letters, *doc = "Does what the test says";
    explicit ScriptedHook(Context context) : context_(context) {}
    void event(const td_event& event) { Behaviour::of(id).event(context_, event); }
    void admit(int action, const td_stream_info& info) { Behaviour::of(id).admit(context_, action, info); }

private:
    Context context_;
};

}  // namespace tapedeck::doubles

namespace tapedeck::host::test {

/// Hooks `a` and `b` with settings.
class HookStage {
public:
    explicit HookStage(const std::string& settings) : source_("/nowhere", settings) {
        source_.declare("", "", event_keys);
        add<doubles::ScriptedHook<'a'>>();
        add<doubles::ScriptedHook<'b'>>();
    }
    const SettingsSource& settings() const { return source_; }
    Hooks hooks(std::size_t count) const {
        std::vector<const Extension*> found;
        for (std::size_t n = 0; n < count; ++n) found.push_back(extensions_[n].get());
        return make_hooks(found);
    }

private:
    template <class Class>
    void add() {
        auto extension = std::make_unique<Extension>();
        extension->kind = "hook";
        extension->id = Class::id;
        extension->declared = &detail::Extension<Class>::value;
        source_.declare(extension->name(), Class::doc, {});
        contexts_.push_back(std::make_unique<td_context>("hook", Class::id, extension->declared, source_, services_));
        extension->context = contexts_.back().get();
        extensions_.push_back(std::move(extension));
    }

    SettingsSource source_;
    Services services_;
    std::vector<std::unique_ptr<td_context>> contexts_;
    std::vector<std::unique_ptr<Extension>> extensions_;
};

}  // namespace tapedeck::host::test
