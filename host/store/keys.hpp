// Settings of files, names, the catalogue and storages.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key state_dir =
    Key::path("state_dir", "state").about("Folder of the catalogue; keep it on a disk that survives a restart");
inline constexpr Key catalog_connection =
    Key::text("catalog").about("SOCI connection string of the catalogue; empty: SQLite in state_dir").secret();
inline constexpr Key record_tmp_dir =
    Key::path("record_tmp_dir", "").about("Folder of unfinished recordings; empty: the home storage's own folder");
inline constexpr Key record_sync =
    Key::boolean("record_sync", "true").about("Sync all unfinished recordings to disk once a second").reload();
inline constexpr Key file_recorder_min_space =
    Key::bytes("file_recorder_min_space", "1g").about("Recordings stop and none starts when a disk has less").reload();
inline constexpr Key file_recorder_thread_pool_max_size =
    Key::integer("file_recorder_thread_pool_max_size", "4")
        .about("Threads that finish files; more than CPUs is not advised")
        .within(1, 1024);
inline constexpr Key record_stop_timeout =
    Key::duration("record_stop_timeout", "15s").about("How long the end of a stream waits for its recording").reload();
inline constexpr Key record_name_collision =
    Key::choice("record_name_collision", "overwrite", "overwrite|suffix|fail")
        .about("When a file of that name exists: replace it, add -2, -3, ..., or do not start")
        .reload()
        .per_recording();
inline constexpr Key record_rotation_index_enabled = Key::boolean("record_rotation_index_enabled", "true")
                                                         .about("Add _1, _2, ... to the names of fragments")
                                                         .reload()
                                                         .per_recording();
inline constexpr Key naming_id = Key::text("naming", "template").about("The naming plugin in use");
inline constexpr Key storage_ids =
    Key::text("storage", "local")
        .about("Storage plugins, comma separated; the first one is home. Of a recording: those of them that get it")
        .per_recording();
inline constexpr Key storage_timeout =
    Key::duration("storage_timeout", "1h").about("How long one put of a file into a storage may take").reload();
inline constexpr Key storage_retry_delay =
    Key::duration("storage_retry_delay", "1s")
        .about("Pause before a step of storing is tried again after a failure; doubles each time, at most 5 min")
        .within(1, 300'000'000)
        .reload();
inline constexpr Key retention_max_age =
    Key::duration("retention.max_age", "0s").about("Recordings that ended longer ago are deleted; 0: none").reload();
inline constexpr Key retention_max_bytes =
    Key::bytes("retention.max_bytes", "0")
        .about("The oldest recordings are deleted when all in the home storage are more; 0: none")
        .reload();
inline constexpr Key retention_min_free_space =
    Key::bytes("retention.min_free_space", "0")
        .about("The oldest recordings are deleted when the home storage's disk has less; 0: none")
        .reload();

inline constexpr std::array<const td_key*, 16> store_keys{&state_dir,
                                                          &catalog_connection,
                                                          &record_tmp_dir,
                                                          &record_sync,
                                                          &file_recorder_min_space,
                                                          &file_recorder_thread_pool_max_size,
                                                          &record_stop_timeout,
                                                          &record_name_collision,
                                                          &record_rotation_index_enabled,
                                                          &naming_id,
                                                          &storage_ids,
                                                          &storage_timeout,
                                                          &storage_retry_delay,
                                                          &retention_max_age,
                                                          &retention_max_bytes,
                                                          &retention_min_free_space};

}  // namespace tapedeck::host
