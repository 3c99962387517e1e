// Declared keys as host parts and plugins have them, for the tests of this folder.
#pragma once

#include <array>

#include "config/settings.hpp"
#include "tapedeck/key.hpp"

namespace tapedeck::host::sample {

inline constexpr Key record_streams = Key::boolean("record_streams", "true").about("Record published streams").reload();
inline constexpr Key record_tmp_dir = Key::path("record_tmp_dir", "").about("Folder of unfinished recordings");
inline constexpr Key record_rotation = Key::text("record_rotation").about("Length of a file").reload().per_recording();
inline constexpr Key min_space = Key::bytes("file_recorder_min_space", "1g").about("Free space").reload();
inline constexpr Key error_interval = Key::duration("file_recorder_error_interval", "60").per("min");
inline constexpr Key stop_timeout = Key::duration("record_stop_timeout", "15s").reload();
inline constexpr Key http_port = Key::integer("http.port", "8081").within(0, 65535).about("Port of REST");
inline constexpr std::array<const td_key*, 7> host_keys{&record_streams, &record_tmp_dir, &record_rotation, &min_space,
                                                        &error_interval, &stop_timeout,   &http_port};

inline constexpr Key fragment =
    Key::duration("fragment", "500ms").about("Length of a fragment").reload().per_recording();
inline constexpr Key moov_first = Key::boolean("moov_first", "true").aka("mp4_container_moov_first").per_recording();
inline constexpr std::array<const td_key*, 2> mp4_keys{&fragment, &moov_first};

inline constexpr Key name_template = Key::text("template", "stream-{mediaSessionId}-{login}")
                                         .aka("stream_record_policy_template")
                                         .about("Name of a file")
                                         .per_recording()
                                         .reload();
inline constexpr Key exclude = Key::text("exclude").aka("exclude_record_name_characters");
inline constexpr std::array<const td_key*, 2> naming_keys{&name_template, &exclude};

inline constexpr Key root = Key::path("root", "records").aka("record_dir").about("Folder of the recordings");
inline constexpr std::array<const td_key*, 1> local_keys{&root};

inline constexpr Key record = Key::boolean("record", "false").aka("record_flash_published_streams").reload();
inline constexpr Key overflow =
    Key::choice("overflow", "drop", "drop|wait").about("When a disk is slow").per_recording();
inline constexpr std::array<const td_key*, 2> rtmp_keys{&record, &overflow};

inline constexpr Key script = Key::path("script", "bin/on_record_hook.sh").aka("on_record_hook_script");
inline constexpr std::array<const td_key*, 1> script_keys{&script};

inline constexpr Key bucket = Key::text("bucket").required();
inline constexpr Key secret = Key::integer("secret", "0").secret();
inline constexpr std::array<const td_key*, 2> s3_keys{&bucket, &secret};

/// All of the above; s3 is there but not enabled.
inline void declare(SettingsSource& source) {
    source.declare("", "", host_keys);
    source.declare_family("prefer.", "Which of two writers of one extension");
    source.declare("writer.mp4", "Crash-safe MP4", mp4_keys);
    source.declare("naming.template", "Names from a template", naming_keys);
    source.declare("storage.local", "A folder of this machine", local_keys);
    source.declare("protocol.rtmp", "RTMP ingest", rtmp_keys);
    source.declare("hook.script", "A script for each file", script_keys);
    source.declare("storage.s3", "A bucket", s3_keys, false);
}

}  // namespace tapedeck::host::sample
