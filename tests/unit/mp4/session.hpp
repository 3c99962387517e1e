// The MP4 writer, driven as the recorder drives it.
#pragma once

#include "../writer_session.hpp"
#include "clip.hpp"
#include "writer.hpp"

namespace tapedeck::mp4::test {

using Session = tapedeck::test::WriterSession<Mp4Writer, Clip>;
using tapedeck::test::recover_and_finish;

}  // namespace tapedeck::mp4::test
