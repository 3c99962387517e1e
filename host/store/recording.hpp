// All that is known of one file of one recording, owned; what the ABI, the memo in the file and the catalogue are made
// of.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// A value; copy it freely. What is not known yet is TD_NO_TIME or empty. Credentials never come in here.
struct Recording {
    std::uint32_t flags = 0;    ///< TD_RECORDING_*
    std::uint32_t segment = 0;  ///< 1, 2, ... with rotation; 0: one file
    std::int64_t row = 0;       ///< in the catalogue; Delivery::open sets it. Event ids are made of it.
    std::string stream, protocol, media_session, session, login;
    std::string writer;     ///< its id: `mp4`
    std::string extension;  ///< without the dot
    std::string video_codec, audio_codec;
    std::string name;  ///< relative to the storage, with folders and extension
    std::string path;  ///< absolute, where the file lies now
    std::string uri;   ///< after a storage took it
    std::string memo;  ///< to_json() as it was at open; Delivery::open sets it, the writer keeps it in the file
    std::int64_t start_us = TD_NO_TIME, end_us = TD_NO_TIME;
    std::int64_t media_start_us = TD_NO_TIME, media_end_us = TD_NO_TIME;
    std::int64_t duration_us = TD_NO_TIME;
    std::uint64_t bytes = 0;
    OptionTexts options;  ///< settings of this recording, as texts
    /// The same, checked, as plugins and Scope read them; null where there are none.
    std::shared_ptr<const td_options> checked;

    /// A view of it, valid while this object lives unchanged.
    td_recording abi() const;
    /// All but `memo` and `checked`, in one line of valid JSON whatever bytes a client sent.
    std::string to_json() const;
    /// Throws Error(TD_MALFORMED). Members that are not in the text keep their defaults; `checked` stays null.
    static Recording from_json(std::string_view text);
};

/// A copy with its view in one counted object, for whoever passes the view on.
std::shared_ptr<const td_recording> share(Recording recording);

}  // namespace tapedeck::host
