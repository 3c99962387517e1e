// A name template such as `{streamName}/stream-{mediaSessionId}-{login}`, read once and filled in for each file. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "encoding.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::naming {

/// What is done to a name besides filling in the template.
struct Rules {
    std::string exclude{};                 /// characters taken out of the expanded name before it is encoded
    Encoding encoding = Encoding::none;    /// of the whole expanded name, folder by folder
    bool duration_in_all_formats = false;  /// else `{duration}` is filled in for MP4 only and empty for the rest
};

/// Immutable; may be used by several threads at once.
///
/// A `/` of the template makes a folder; everything else is text, elements in braces, or an unknown element, which
/// stays as it is. Empty folders (`a//b`, a leading `/`) are left out.
class Pattern {
public:
    explicit Pattern(std::string_view text);

    /// Names in braces that mean nothing, each once, in the order in which they appear.
    const std::vector<std::string>& unknown() const { return unknown_; }

    /// The stem of a file's name with its folders: never empty, never absolute; no part of it is empty or begins with
    /// a dot. Without TD_RECORDING_FINAL, an element whose value is not known yet stays in its braces, also between
    /// encoded text. A value that nobody will ever know is `-1`, as are the frame times of a multi-recording (R110).
    ///
    /// What is encoded is shortened first, so that it can be decoded after `_N` and the extension are added within 255
    /// bytes; the host shortens other names.
    std::string name(const td_recording& recording, const Rules& rules) const;

private:
    /// One piece of a component: text, or an element by its row in the table of elements.
    struct Piece {
        std::string text;
        std::optional<std::size_t> element;
    };
    using Component = std::vector<Piece>;

    Component parse_component(std::string_view text);
    std::string fill(const Component& component, const td_recording& recording, const Rules& rules,
                     std::size_t room) const;

    std::vector<Component> components_;  // the last one is the stem; never empty
    std::vector<std::string> unknown_;
};

}  // namespace tapedeck::naming
