#include "plugin/descriptor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "base/error.hpp"
#include "plugin/extension.hpp"

namespace tapedeck::host {
namespace {

constexpr std::size_t longest_text = 4096;
constexpr std::size_t most_extensions = 64, most_keys = 256;

std::string text(const char* what, const char* given, bool needed = true) {
    if (given == nullptr) {
        if (needed) throw Error(fmt::format("{} is missing", what));
        return {};
    }
    const std::size_t size = strnlen(given, longest_text + 1);
    if (size > longest_text) throw Error(fmt::format("{} is longer than {} bytes", what, longest_text));
    if (size == 0 && needed) throw Error(fmt::format("{} is empty", what));
    return {given, size};
}

/// As it can stand in `writer.mp4.fragment`.
std::string name(const char* what, const char* given, bool dots) {
    std::string result = text(what, given);
    const bool clean = result.size() <= 64 && std::ranges::all_of(result, [dots](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '.' && dots);
                       });
    if (!clean) throw Error(fmt::format("{} '{}' is not made of a-z, 0-9 and _", what, result));
    return result;
}

template <class Table, class... Members>
void need(const void* table, Members Table::*... members) {
    const auto* typed = static_cast<const Table*>(table);
    if (!((offered(typed, members) != nullptr) && ...))
        throw Error("its table lacks a function that every one must have");
}

void check_table(std::string_view kind, const void* table) {
    if (table == nullptr) throw Error("its table is missing");
    if (kind == "protocol")
        need(table, &td_protocol::create, &td_protocol::start, &td_protocol::stop, &td_protocol::destroy);
    if (kind == "transform")
        need(table, &td_transform::accepts, &td_transform::create, &td_transform::push, &td_transform::destroy);
    if (kind == "reader") need(table, &td_reader::extension, &td_reader::create, &td_reader::destroy);
    if (kind == "naming") need(table, &td_naming::create, &td_naming::name, &td_naming::destroy);
    if (kind == "storage")
        need(table, &td_storage::create, &td_storage::put, &td_storage::remove, &td_storage::destroy);
    if (kind == "hook") need(table, &td_hook::create, &td_hook::destroy);
    if (kind == "writer") {
        need(table, &td_writer::extension, &td_writer::mime, &td_writer::codecs, &td_writer::create, &td_writer::open,
             &td_writer::write, &td_writer::flush, &td_writer::finish, &td_writer::destroy);
        if (static_cast<const td_writer*>(table)->codec_count == 0) throw Error("it names no codec that it can write");
    }
}

DescriptorFacts::Key describe_key(const td_key& key) {
    if (key.size < offsetof(td_key, max) + sizeof key.max) throw Error("a setting's declaration is too short");
    DescriptorFacts::Key facts;
    facts.name = name("a setting's name", key.name, true);
    facts.type = key.type;
    facts.flags = key.flags;
    facts.alias = text("an alias", key.alias, false);
    facts.fallback = text("a default", key.fallback, false);
    facts.choices = text("choices", key.choices, false);
    facts.doc = text("a setting's description", key.doc, false);
    facts.unit = text("a unit", key.unit, false);
    facts.min = key.min;
    facts.max = key.max;
    return facts;
}

DescriptorFacts::Offer describe_extension(const td_extension& extension) {
    if (extension.size < offsetof(td_extension, table) + sizeof extension.table)
        throw Error("an extension is too short");
    DescriptorFacts::Offer offer;
    offer.interface_id = text("an interface", extension.interface_id);
    offer.id = text("an id", extension.id);
    offer.doc = text("a description", extension.doc, false);
    const std::string_view kind = kind_of_interface(offer.interface_id);
    if (kind.empty()) return offer;
    name("the id", extension.id, false);
    try {
        if (extension.key_count > most_keys)
            throw Error(fmt::format("{} settings; {} at most", extension.key_count, most_keys));
        if (extension.key_count > 0 && extension.keys == nullptr) throw Error("its settings are missing");
        for (const td_key* key : std::span(extension.keys, extension.key_count)) {
            if (key == nullptr) throw Error("a setting is missing");
            offer.keys.push_back(describe_key(*key));
        }
        check_table(kind, extension.table);
    } catch (const Error& error) {
        throw Error(fmt::format("{}.{}", kind, offer.id), error);
    }
    return offer;
}

}  // namespace

DescriptorFacts describe(const td_plugin& plugin, std::uint32_t entry_major) {
    if (plugin.size < offsetof(td_plugin, extension_count) + sizeof plugin.extension_count)
        throw Error("it is too short");
    DescriptorFacts facts;
    facts.sdk_major = plugin.sdk_major;
    facts.sdk_minor = plugin.sdk_minor;
    facts.needs_minor = plugin.needs_minor;
    if (facts.sdk_major != entry_major)
        throw Error(fmt::format("it says SDK {} under the symbol of SDK {}", facts.sdk_major, entry_major));
    facts.name = text("its name", plugin.name);
    facts.version = text("its version", plugin.version);
    facts.vendor = text("its vendor", plugin.vendor, false);
    facts.license = text("its license", plugin.license, false);
    facts.doc = text("its description", plugin.doc, false);
    if (plugin.extension_count == 0 || plugin.extensions == nullptr) throw Error("it offers nothing");
    if (plugin.extension_count > most_extensions)
        throw Error(fmt::format("{} extensions; {} at most", plugin.extension_count, most_extensions));
    for (const td_extension* extension : std::span(plugin.extensions, plugin.extension_count)) {
        if (extension == nullptr) throw Error("an extension is missing");
        facts.offers.push_back(describe_extension(*extension));
    }
    for (std::size_t i = 0; i < facts.offers.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (facts.offers[i].interface_id == facts.offers[j].interface_id &&
                facts.offers[i].id == facts.offers[j].id)
                throw Error(fmt::format("it offers {} {} twice", facts.offers[i].interface_id, facts.offers[i].id));
        }
    }
    return facts;
}

}  // namespace tapedeck::host
