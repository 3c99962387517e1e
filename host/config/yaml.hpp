// The YAML files of the configuration.
#pragma once

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace tapedeck::host {

/// The file's text; nothing when there is no such file, unless the operator named it in the setting `key`: then its
/// absence is an Error. Throws Error when it cannot be read or has more than 1 MB. [blocking]
std::optional<std::string> read_config_file(const std::filesystem::path& file, bool must_exist, std::string_view key);

/// Walks a document; every Error names the file and the line: `access.yaml:7: ...`. A value. A member that is there
/// with nothing behind it counts as missing.
class YamlFile {
public:
    /// `file`: its name in messages.
    explicit YamlFile(std::string_view file) : file_(file) {}

    /// A file of comments gives a null node. Throws Error.
    YAML::Node load(const std::string& text) const;

    [[noreturn]] void fail(const YAML::Mark& mark, const std::string& text) const;
    /// Nothing when there is no such member; asking a const node never adds one.
    static YAML::Node member(const YAML::Node& map, const char* name);
    /// Throws Error unless it is a map with members of these names only; `what` is its name for people.
    void expect_members(const YAML::Node& map, const char* what, std::initializer_list<std::string_view> known) const;
    /// Of a sequence; empty when it is missing.
    YAML::Node list(const YAML::Node& map, const char* name) const;
    /// Of a scalar; empty when it is missing.
    std::string text(const YAML::Node& map, const char* name) const;
    std::string required(const YAML::Node& map, const char* name, const char* what) const;

private:
    std::string_view file_;
};

}  // namespace tapedeck::host
