// Settings of parts of recordings.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key mp4_cutter_dir =
    Key::path("mp4_cutter_dir", "records").about("Folder of the parts that `?start=&end=` makes");
inline constexpr Key cutter_max_age =
    Key::duration("cutter.max_age", "0s")
        .about("A part that nobody asked for so long is deleted; 0: parts are kept for ever")
        .reload();
inline constexpr Key cutter_max_size =
    Key::bytes("cutter.max_size", "0")
        .about("The parts not asked for longest are deleted when all together have more; 0: parts are kept for ever")
        .reload();
inline constexpr Key cutter_other_formats =
    Key::boolean("cutter.other_formats", "false")
        .about("Cut WebM, MKV and TS too, from a key picture on; false: `?start=&end=` gives the whole file of them")
        .reload();
inline constexpr Key cutter_threads =
    Key::integer("cutter.threads", "2").about("How many parts are made at once").within(1, 64);

inline constexpr std::array<const td_key*, 5> cutter_keys{&mp4_cutter_dir, &cutter_max_age, &cutter_max_size,
                                                          &cutter_other_formats, &cutter_threads};

}  // namespace tapedeck::host
