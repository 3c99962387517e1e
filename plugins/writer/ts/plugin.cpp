// The MPEG-TS writer as a plugin.
#include "writer.hpp"

TAPEDECK_PLUGIN("ts", TAPEDECK_VERSION, "Tapedeck", "MIT", "MPEG-TS files", tapedeck::ts::TsWriter);
