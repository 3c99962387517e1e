// libavformat's WebM writer as a plugin.
#include "lavf_writer.hpp"

TAPEDECK_PLUGIN("webm_lavf", TAPEDECK_VERSION, "Tapedeck", "MIT", "WebM files by libavformat",
                tapedeck::webm_lavf::LavfWriter);
