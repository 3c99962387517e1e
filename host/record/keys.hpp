// Settings of recordings.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key record_streams =
    Key::boolean("record_streams", "true").about("Record streams by rule; REST may record in any case").reload();
inline constexpr Key record_rules =
    Key::path("record_rules", "conf/record_rules.yaml")
        .about("Rules by protocol and stream name: what is recorded, under which name, how it is cut and contained")
        .reload();
inline constexpr Key record_formats = Key::text("record_formats", "h264-mp4, vp8-webm")
                                          .about("Container by video codec: <codec>-<container>, ...")
                                          .per_recording();
inline constexpr Key record_h264_to_ts = Key::boolean("record_h264_to_ts", "false")
                                             .about("H.264 goes to MPEG-TS, whatever record_formats says")
                                             .per_recording();
inline constexpr Key webm_java_writer_enable =
    Key::boolean("webm_java_writer_enable", "true")
        .about("WebM is written by the server's own writer; false: by libavformat, as `prefer.webm = webm_lavf`")
        .reload();
inline constexpr Key record_rotation =
    Key::text("record_rotation")
        .about("New file after so many seconds (`20`) or bytes (`10M`); `disabled`: one file for each recording")
        .reload()
        .per_recording();
inline constexpr Key record_rotation_align =
    Key::boolean("record_rotation_align", "false")
        .about("Files of seconds end at multiples of them by the server's clock: with 3600 at each full hour")
        .reload()
        .per_recording();
inline constexpr Key record_audio_buffer_max_size =
    Key::integer("record_audio_buffer_max_size", "100")
        .about("Audio packets kept while the first key frame is awaited")
        .within(0, 100'000)
        .reload();
inline constexpr Key record_codec_change =
    Key::choice("record_codec_change", "continue", "continue|split")
        .about(
            "New parameters inside a stream: go on in the same file, converting sound if need be, or start a new one")
        .reload()
        .per_recording();
inline constexpr Key record_queue =
    Key::bytes("record_queue", "16m")
        .about(
            "Most bytes that wait for a slow disk, for each recording; beyond it packets are dropped up to a key frame")
        .within(1 << 20, std::int64_t{1} << 40);
inline constexpr Key record_resume =
    Key::boolean("record_resume", "false").about("Record on when space has returned to a full disk").reload();
inline constexpr Key record_reconnect_timeout =
    Key::duration("record_reconnect_timeout", "0")
        .about(
            "How long a recording waits for a publisher that left: a stream of the same name that comes within this "
            "time goes on in the same file, with the pause in it; 0: the recording ends with its stream")
        .within(0, 43'200'000'000)
        .reload()
        .per_recording();
inline constexpr Key record_threads =
    Key::integer("record_threads", "0").about("Threads that write recordings; 0: one for each CPU").within(0, 256);
inline constexpr Key file_recorder_error_interval = Key::duration("file_recorder_error_interval", "60")
                                                        .per("min")
                                                        .about("Errors of a recording are counted over this time")
                                                        .reload();
inline constexpr Key file_recorder_max_errors_per_interval = Key::integer("file_recorder_max_errors_per_interval", "3")
                                                                 .about("A recording stops after so many errors")
                                                                 .within(1, 1'000'000)
                                                                 .reload();

inline constexpr std::array<const td_key*, 15> record_keys{&record_streams,
                                                           &record_rules,
                                                           &record_formats,
                                                           &record_h264_to_ts,
                                                           &webm_java_writer_enable,
                                                           &record_rotation,
                                                           &record_rotation_align,
                                                           &record_audio_buffer_max_size,
                                                           &record_codec_change,
                                                           &record_queue,
                                                           &record_resume,
                                                           &record_reconnect_timeout,
                                                           &record_threads,
                                                           &file_recorder_error_interval,
                                                           &file_recorder_max_errors_per_interval};

}  // namespace tapedeck::host
