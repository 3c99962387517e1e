#include "plugin/probe_report.hpp"

#include <charconv>

namespace tapedeck::host {
namespace {

void put(std::string& out, std::string_view text) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

void put(std::string& out, std::string_view name, std::string_view value) {
    put(out, name);
    put(out, value);
}

template <class Number>
void put_number(std::string& out, std::string_view name, Number value) {
    put(out, name, std::to_string(value));
}

struct Malformed {};

std::string_view take(std::string_view& bytes) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size);
    const auto digits = static_cast<std::size_t>(end - bytes.data());
    if (error != std::errc{} || digits >= bytes.size() || bytes[digits] != ':') throw Malformed{};
    bytes.remove_prefix(digits + 1);
    if (size > bytes.size()) throw Malformed{};
    const std::string_view text = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return text;
}

template <class Number>
void number(std::string_view text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error != std::errc{} || end != text.data() + text.size()) throw Malformed{};
}

/// Puts one pair where it belongs; `offer` and `key` begin a new one of theirs.
class Assembler {
public:
    explicit Assembler(ProbeOutcome& outcome) : outcome_(outcome) {}

    void pair(std::string_view name, std::string_view value) {
        if (name == "outcome") {
            std::uint32_t end = 0;
            number(value, end);
            if (end > static_cast<std::uint32_t>(ProbeOutcome::End::Failed)) throw Malformed{};
            outcome_.end = static_cast<ProbeOutcome::End>(end);
        } else if (name == "text") {
            outcome_.text = value;
        } else if (name == "descriptor") {
            outcome_.descriptor.emplace().name = value;
        } else if (!outcome_.descriptor) {
            throw Malformed{};
        } else if (name == "offer") {
            outcome_.descriptor->offers.emplace_back().interface_id = value;
        } else if (name == "key") {
            offer().keys.emplace_back().name = value;
        } else if (name.starts_with("offer.")) {
            offer_member(name.substr(6), value);
        } else if (name.starts_with("key.")) {
            key_member(name.substr(4), value);
        } else {
            plugin_member(name, value);
        }
    }

private:
    DescriptorFacts::Offer& offer() {
        if (outcome_.descriptor->offers.empty()) throw Malformed{};
        return outcome_.descriptor->offers.back();
    }
    void plugin_member(std::string_view name, std::string_view value) {
        DescriptorFacts& facts = *outcome_.descriptor;
        if (name == "sdk_major")
            number(value, facts.sdk_major);
        else if (name == "sdk_minor")
            number(value, facts.sdk_minor);
        else if (name == "needs_minor")
            number(value, facts.needs_minor);
        else if (name == "version")
            facts.version = value;
        else if (name == "vendor")
            facts.vendor = value;
        else if (name == "license")
            facts.license = value;
        else if (name == "doc")
            facts.doc = value;
        else
            throw Malformed{};
    }
    void offer_member(std::string_view name, std::string_view value) {
        if (name == "id")
            offer().id = value;
        else if (name == "doc")
            offer().doc = value;
        else
            throw Malformed{};
    }
    void key_member(std::string_view name, std::string_view value) {
        if (offer().keys.empty()) throw Malformed{};
        DescriptorFacts::Key& key = offer().keys.back();
        if (name == "type")
            number(value, key.type);
        else if (name == "flags")
            number(value, key.flags);
        else if (name == "alias")
            key.alias = value;
        else if (name == "fallback")
            key.fallback = value;
        else if (name == "choices")
            key.choices = value;
        else if (name == "doc")
            key.doc = value;
        else if (name == "unit")
            key.unit = value;
        else if (name == "min")
            number(value, key.min);
        else if (name == "max")
            number(value, key.max);
        else
            throw Malformed{};
    }

    ProbeOutcome& outcome_;
};

}  // namespace

std::string encode_report(const ProbeOutcome& outcome) {
    std::string out;
    put_number(out, "outcome", static_cast<std::uint32_t>(outcome.end));
    put(out, "text", outcome.text);
    if (outcome.descriptor) {
        const DescriptorFacts& facts = *outcome.descriptor;
        put(out, "descriptor", facts.name);
        put_number(out, "sdk_major", facts.sdk_major);
        put_number(out, "sdk_minor", facts.sdk_minor);
        put_number(out, "needs_minor", facts.needs_minor);
        put(out, "version", facts.version);
        put(out, "vendor", facts.vendor);
        put(out, "license", facts.license);
        put(out, "doc", facts.doc);
        for (const auto& offer : facts.offers) {
            put(out, "offer", offer.interface_id);
            put(out, "offer.id", offer.id);
            put(out, "offer.doc", offer.doc);
            for (const auto& key : offer.keys) {
                put(out, "key", key.name);
                put_number(out, "key.type", key.type);
                put_number(out, "key.flags", key.flags);
                put(out, "key.alias", key.alias);
                put(out, "key.fallback", key.fallback);
                put(out, "key.choices", key.choices);
                put(out, "key.doc", key.doc);
                put(out, "key.unit", key.unit);
                put_number(out, "key.min", key.min);
                put_number(out, "key.max", key.max);
            }
        }
    }
    put(out, "end", "");
    return out;
}

std::optional<ProbeOutcome> decode_report(std::string_view bytes) {
    ProbeOutcome outcome;
    Assembler assembler(outcome);
    try {
        for (;;) {
            const std::string_view name = take(bytes);
            const std::string_view value = take(bytes);
            if (name == "end") return bytes.empty() ? std::optional(std::move(outcome)) : std::nullopt;
            assembler.pair(name, value);
        }
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

}  // namespace tapedeck::host
