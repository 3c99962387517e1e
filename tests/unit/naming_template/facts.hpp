// A recording's facts for the tests of names.
#pragma once

#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::naming {

/// The facts of a finished RTMP recording; a test changes what it is about.
struct Facts {
    std::string stream = "cam1", session = "/192.0.2.1:50000/192.0.2.9:1935", login = "bob", extension = "mp4";
    std::string media_session = "c43a28b7-9a4d-45f8-a010-57b959a22755";
    std::string video_codec = "H264", audio_codec = "AAC";
    std::int64_t media_start_us = 40'000, media_end_us = 20'066'999, duration_us = 20'026'999;
    std::int64_t start_us = 1'553'577'643'961'500, end_us = 1'553'577'663'988'000;
    std::uint32_t flags = TD_RECORDING_FINAL;

    td_recording recording() const {
        td_recording result{};
        result.size = sizeof result;
        result.flags = flags;
        result.stream = text_of(stream);
        result.protocol = text_of("rtmp");
        result.media_session = text_of(media_session);
        result.session = text_of(session);
        result.login = text_of(login);
        result.extension = text_of(extension);
        result.video_codec = text_of(video_codec);
        result.audio_codec = text_of(audio_codec);
        result.media_start_us = media_start_us;
        result.media_end_us = media_end_us;
        result.duration_us = duration_us;
        result.start_us = start_us;
        result.end_us = end_us;
        return result;
    }
    /// The same while it runs: what only the end tells is not known.
    Facts running() const {
        Facts copy = *this;
        copy.flags = 0;
        copy.media_end_us = copy.end_us = copy.duration_us = TD_NO_TIME;
        return copy;
    }
};

}  // namespace tapedeck::naming
