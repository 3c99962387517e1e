// A writer with a host and a file in memory, driven as the recorder drives it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clip.hpp"
#include "stream_reader.hpp"
#include "testkit/fake_host.hpp"
#include "testkit/memory_file.hpp"
#include "writer.hpp"

namespace tapedeck::ts::test {

using mp4::test::Clip;
using mp4::test::make_clip;
using mp4::test::Recipe;
using mp4::test::Unit;

class Session {
public:
    Session() : writer(context()) {}

    Context context() { return {host.table(), host.context()}; }
    td_recording recording() const;

    void open(const Clip& clip);
    /// Writes the units from `from_ms` to before `to_ms`, with a flush each 0.5 s and at the end.
    void write(const Clip& clip, std::int64_t from_ms = INT64_MIN, std::int64_t to_ms = INT64_MAX);
    void write(const Unit& unit);
    /// open, write, finish.
    void record(const Clip& clip);
    /// What it recorded, taken apart.
    Stream stream() const { return read_stream(file.contents()); }

    testkit::FakeHost host;
    testkit::MemoryFile file;
    TsWriter writer;
    std::string memo = R"({"stream":"cam1"})";
    std::int64_t flush_ms = 500;
};

/// As a restart: a new writer recovers the file and, when it found packets, finishes it. Gives what was found.
Recovered recover_and_finish(Session& session);

/// Small made-up packets of one H.264 track at these times, the first of each `key_distance` a key picture.
Clip pictures(const std::vector<std::int64_t>& times_ms, std::size_t key_distance = 10, std::size_t size = 500);
/// Made-up AAC of 44.1 kHz in ticks of a sample.
Clip sound(std::size_t frames, std::int64_t from_ticks = 0);

inline constexpr unsigned video_pid = 0x100, audio_pid = 0x101;
/// 0 of the recording, in ticks of 90 kHz.
inline constexpr std::int64_t zero = 900000;

}  // namespace tapedeck::ts::test
