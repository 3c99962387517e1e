// The TS writer, driven as the recorder drives it, and media made up for it.
#pragma once

#include <cstdint>
#include <vector>

#include "../writer_session.hpp"
#include "clip.hpp"
#include "stream_reader.hpp"
#include "writer.hpp"

namespace tapedeck::ts::test {

using mp4::test::Clip;
using mp4::test::make_clip;
using mp4::test::Recipe;
using mp4::test::Unit;

class Session : public tapedeck::test::WriterSession<TsWriter, Clip> {
public:
    /// open, write, finish.
    void record(const Clip& clip) {
        WriterSession::record(clip);
        writer.finish();
    }
    /// What it recorded, taken apart.
    Stream stream() const { return read_stream(file.contents()); }
};
using tapedeck::test::recover_and_finish;

/// Small made-up packets of one H.264 track at these times, the first of each `key_distance` a key picture.
Clip pictures(const std::vector<std::int64_t>& times_ms, std::size_t key_distance = 10, std::size_t size = 500);
/// Made-up AAC of 44.1 kHz in ticks of a sample.
Clip sound(std::size_t frames, std::int64_t from_ticks = 0);

inline constexpr unsigned video_pid = 0x100, audio_pid = 0x101;
/// 0 of the recording, in ticks of 90 kHz.
inline constexpr std::int64_t zero = 900000;

}  // namespace tapedeck::ts::test
