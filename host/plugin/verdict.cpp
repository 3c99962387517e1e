#include "plugin/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"
#include "plugin/extension.hpp"

namespace tapedeck::host {
namespace {

/// Why the bytes of the file cannot be a plugin of this host; empty when they can.
std::string refused_by_bytes(const Facts& facts, std::uint32_t host_major) {
    switch (facts.format) {
        case Facts::Format::Unreadable:
            return fmt::format("cannot be read: {}", facts.detail);
        case Facts::Format::NotSharedLibrary:
            return "not a shared library";
        case Facts::Format::Damaged:
            return "damaged shared library";
        case Facts::Format::OtherMachine:
            return fmt::format("built for another machine ({})", facts.detail);
        case Facts::Format::SharedLibrary:
            break;
    }
    if (facts.entry_majors.empty()) return "a shared library, but not a tapedeck plugin";
    if (std::ranges::find(facts.entry_majors, host_major) == facts.entry_majors.end())
        return fmt::format("built for SDK {}, this host speaks SDK {}", fmt::join(facts.entry_majors, " and "),
                           host_major);
    return {};
}

std::string refused_by_probe(const ProbeOutcome& probe) {
    const std::string text = printable(probe.text, 500);
    switch (probe.end) {
        case ProbeOutcome::End::Loaded:
            return {};
        case ProbeOutcome::End::Refused:
            return text;
        case ProbeOutcome::End::Invalid:
            return fmt::format("its descriptor is not valid: {}", text);
        case ProbeOutcome::End::Crashed:
            return fmt::format("crashed while being probed: {}", text);
        case ProbeOutcome::End::Exited:
            return fmt::format("ended the process while being probed: {}", text);
        case ProbeOutcome::End::Hung:
            return fmt::format("did not load within {} while being probed", text);
        case ProbeOutcome::End::Threw:
            return fmt::format("threw while being probed: {}", text);
        case ProbeOutcome::End::Failed:
            break;
    }
    return fmt::format("could not be probed: {}", text);
}

std::string refused_by_version(const DescriptorFacts& descriptor, std::uint32_t host_major, std::uint32_t host_minor) {
    if (host_major == 0 && descriptor.sdk_minor != host_minor)
        return fmt::format("built for SDK 0.{}, this host speaks exactly 0.{}", descriptor.sdk_minor, host_minor);
    if (host_major > 0 && descriptor.needs_minor > host_minor) {
        return fmt::format("needs SDK {}.{}, this host has {}.{}", host_major, descriptor.needs_minor, host_major,
                           host_minor);
    }
    return {};
}

std::string exports_more(const std::vector<std::string>& symbols) {
    constexpr std::size_t shown = 5;
    std::string names;
    for (std::size_t i = 0; i < std::min(shown, symbols.size()); ++i)
        names += fmt::format("{}{}", i == 0 ? "" : ", ", printable(symbols[i], 60));
    if (symbols.size() > shown) names += fmt::format(" and {} more", symbols.size() - shown);
    return fmt::format("exports more than its entry: {}; build it with tapedeck_add_plugin()", names);
}

}  // namespace

Verdict verdict(const Facts& facts, std::uint32_t host_major, std::uint32_t host_minor) {
    Verdict result;
    std::string reason = refused_by_bytes(facts, host_major);
    if (reason.empty() && facts.probe) {
        reason = refused_by_probe(*facts.probe);
        if (reason.empty() && facts.probe->descriptor)
            reason = refused_by_version(*facts.probe->descriptor, host_major, host_minor);
    }
    const std::string file = printable(facts.file, 255);
    result.loads = reason.empty();
    if (!result.loads) {
        result.message = fmt::format("{}: {}", file, reason);
        return result;
    }
    if (!facts.extra_exports.empty())
        result.warnings.push_back(fmt::format("{}: {}", file, exports_more(facts.extra_exports)));
    if (facts.probe && facts.probe->descriptor) {
        for (const auto& offer : facts.probe->descriptor->offers) {
            if (std::string text = unsupported(offer); !text.empty())
                result.warnings.push_back(fmt::format("{}: {}", file, text));
        }
    }
    return result;
}

std::string unsupported(const DescriptorFacts::Offer& offer) {
    if (!kind_of_interface(offer.interface_id).empty()) return {};
    return fmt::format("{} {}: not supported by this host", printable(offer.interface_id), printable(offer.id));
}

}  // namespace tapedeck::host
