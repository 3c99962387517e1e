// Settings of the server as a whole.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key log_dir = Key::path("log.dir", "logs").about("Folder of tapedeck.log");
inline constexpr Key log_format =
    Key::choice("log.format", "text", "text|json").about("Lines of text or of JSON").reload();
inline constexpr Key log_level =
    Key::choice("log.level", "info", "debug|info|warning|error").about("What is written to the log").reload();
inline constexpr Key log_file_size =
    Key::bytes("log.file_size", "10m").about("A log file is rotated at this size").within(1024, 1 << 30).reload();
inline constexpr Key log_files =
    Key::integer("log.files", "5").about("Rotated log files kept").within(1, 1000).reload();
inline constexpr Key shutdown_timeout =
    Key::duration("shutdown_timeout", "30s")
        .about("How long the end of the server waits for storages and hooks; what remains is done at the next start")
        .reload();

inline constexpr std::array<const td_key*, 6> app_keys{&log_dir,       &log_format, &log_level,
                                                       &log_file_size, &log_files,  &shutdown_timeout};

}  // namespace tapedeck::host
