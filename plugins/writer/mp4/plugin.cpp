// The MP4 writer as a plugin.
#include "writer.hpp"

TAPEDECK_PLUGIN("mp4", TAPEDECK_VERSION, "Tapedeck", "MIT", "MP4 files", tapedeck::mp4::Mp4Writer);
