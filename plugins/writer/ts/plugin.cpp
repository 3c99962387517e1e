// The MPEG-TS writer and reader as a plugin.
#include "reader.hpp"
#include "writer.hpp"

TAPEDECK_PLUGIN("ts", TAPEDECK_VERSION, "Tapedeck", "MIT", "MPEG-TS files", tapedeck::ts::TsWriter,
                tapedeck::ts::TsReader);
