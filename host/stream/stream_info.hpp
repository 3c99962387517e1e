// Who publishes or plays: td_stream_info with memory of its own.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::host {

/// A value. Texts come from the client: any bytes.
struct StreamInfo {
    /// Copies what a plugin gave. An empty media session becomes a UUID, an empty session too, an empty login 26 random
    /// letters and digits, as WCS shows.
    explicit StreamInfo(const td_stream_info& from);

    /// A view of it for plugins; valid while this object lives unchanged and `attributes` is the caller's.
    td_stream_info abi(std::vector<td_attribute>& attributes_out) const;

    std::string name, protocol, media_session, session, login, application, remote;
    std::uint32_t expects = 0;
    std::uint32_t record = TD_RECORD_BY_RULES;
    /// Attribute `arrival=wallclock`: packets tell by wallclock_us when they would have arrived, as a file does that is
    /// published faster than it was made.
    bool arrives_by_wallclock = false;
    bool keys_on_request = false;                                 ///< a publisher's: TD_STREAM_KEYS_ON_REQUEST
    std::vector<std::uint32_t> codecs;                            ///< a viewer's: what it can take; none: everything
    std::int64_t delay_us = 0;                                    ///< a viewer's
    std::int64_t created_us = 0;                                  ///< server clock, UNIX microseconds
    std::vector<std::pair<std::string, std::string>> attributes;  ///< with credentials; cleared once it is admitted
};

}  // namespace tapedeck::host
