// What a page says over its data channels, as a track of text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tapedeck/stream.hpp"
#include "webrtc/data/data_channels.hpp"

namespace tapedeck::webrtc {

/// One for all channels of a publisher, named after the first. Its times are microseconds of a clock of its own. One
/// thread.
class MessageTrack {
public:
    MessageTrack(Context context, std::uint32_t index, std::string_view channel);

    const Track& track() const { return track_; }
    /// A string as it is; other bytes as a data URL (RFC 2397) `data:application/octet-stream;base64,...`.
    OwnedPacket packet(const ChannelMessage& message, std::int64_t at_us) const;

private:
    Context context_;
    Track track_;
};

/// Whether it is UTF-8 (RFC 3629) without NUL.
bool is_plain_text(std::string_view text);

}  // namespace tapedeck::webrtc
