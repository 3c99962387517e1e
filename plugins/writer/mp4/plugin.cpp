// The MP4 writer and reader as a plugin.
#include "reader.hpp"
#include "writer.hpp"

TAPEDECK_PLUGIN("mp4", TAPEDECK_VERSION, "Tapedeck", "MIT", "MP4 files", tapedeck::mp4::Mp4Writer,
                tapedeck::mp4::Mp4Reader);
