// A writer with a host and a file in memory, driven as the recorder drives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clip.hpp"
#include "testkit/fake_host.hpp"
#include "testkit/memory_file.hpp"
#include "writer.hpp"

namespace tapedeck::mp4::test {

class Session {
public:
    Session() : host(Mp4Writer::keys), writer(context()) {}

    Context context() { return {host.table(), host.context()}; }
    /// What `open` and `recover` are given.
    td_recording recording() const;

    void open(const Clip& clip);
    /// Writes the units from `from_ms` to before `to_ms`, with a flush each 0.5 s and at the end.
    void write(const Clip& clip, std::int64_t from_ms = INT64_MIN, std::int64_t to_ms = INT64_MAX);
    void write(const Unit& unit);
    /// open, write, flush.
    void record(const Clip& clip) {
        open(clip);
        write(clip);
    }
    /// `finish`, and what the host does after it.
    void finish() {
        writer.finish();
        file.finish();
    }

    testkit::FakeHost host;
    testkit::MemoryFile file;
    Mp4Writer writer;
    std::string memo = R"({"stream":"cam1"})";
    std::int64_t flush_ms = 500;
};

/// As a restart: a new writer recovers the file and, when it found packets, finishes it. Gives what was found.
Recovered recover_and_finish(Session& session);

}  // namespace tapedeck::mp4::test
