// The tracks of a file of any writer, and its units by position and time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "packets.hpp"
#include "scanner.hpp"
#include "sections.hpp"

namespace tapedeck::ts {

/// Where a PES packet begins. Times count from the file's first one.
struct Unit {
    std::uint64_t at = 0;
    std::uint16_t pid = 0;
    std::int64_t pts = 0, dts = 0;
    bool key = false;  ///< a decoder may begin here
};

/// Reads what it is asked for. Not thread-safe. Throws what the source throws.
class Program {
public:
    /// Reads the tables and the first times. Throws Malformed for what is no transport stream of one program.
    explicit Program(const Source& source);

    /// Those of the first map, then those that joined.
    const std::vector<std::uint16_t>& tracks() const { return tracks_; }
    /// The PID of the table that names them.
    std::uint16_t map() const { return map_; }
    /// The first track of pictures, else of sound: by its units the file is cut.
    std::uint16_t main() const { return main_; }
    bool has_pictures() const { return has_pictures_; }
    /// Behind the last whole packet.
    std::uint64_t end() const { return end_; }

    /// 188 bytes; fewer where the file changed under the reader. Valid until the next call.
    ByteSpan bytes(std::uint64_t at);
    std::optional<PacketView> packet(std::uint64_t at) { return parse_packet(bytes(at)); }
    /// The unit that begins in this packet.
    std::optional<Unit> unit(std::uint64_t at);
    /// Where the first unit of the main track begins that is decoded after `time`; the end where there is none. Looks
    /// into few places of the file.
    std::uint64_t decoded_after(std::int64_t time);

private:
    void read_tables();
    void read_late_tables();
    std::optional<std::uint64_t> next_main(std::uint64_t at, std::uint64_t limit);

    const Source& source_;
    std::uint64_t end_, start_ = 0;
    Bytes piece_;  // from `start_` on
    std::vector<std::uint16_t> tracks_;
    std::uint16_t map_ = 0, main_ = 0;
    bool has_pictures_ = false;
    std::int64_t zero_ = 0;  // the time of the stream that is the file's 0
};

}  // namespace tapedeck::ts
