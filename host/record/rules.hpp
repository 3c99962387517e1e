// conf/record_rules.yaml: which streams are recorded, and how, by protocol and name.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "stream/stream_info.hpp"

namespace tapedeck::host {

/// What is said of the streams that it fits.
struct RecordRule {
    std::string protocol;        ///< `rtmp`, `webrtc`, ...; empty: any
    std::string name = "*";      ///< pattern of stream names
    std::optional<bool> record;  ///< nothing: as the protocol's own switch says
    OptionTexts options;         ///< settings of these recordings, by full name

    bool fits(const StreamInfo& stream) const;
};

/// Reads the YAML text. Throws Error `<file>:<line>: ...` that names the member, the value and the way out.
std::vector<RecordRule> parse_record_rules(const std::string& text, std::string_view file, const Settings& settings);

/// The rules in force. Thread-safe.
class RecordRules {
public:
    /// Reads the file of `record_rules`; without it there are no rules. Throws Error.
    explicit RecordRules(const SettingsSource& settings);

    /// Reads it again (SIGHUP). On failure throws Error and the old rules stay.
    void reload();

    /// The first rule that fits; one that says nothing when none does.
    RecordRule find(const StreamInfo& stream) const;

private:
    using Rules = std::vector<RecordRule>;
    std::shared_ptr<const Rules> read() const;

    const SettingsSource& settings_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Rules> rules_;
};

}  // namespace tapedeck::host
