// A transport stream taken apart: one program's pictures and sound.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mpegts/media_out.hpp"
#include "mpegts/picture.hpp"
#include "mpegts/psi.hpp"
#include "mpegts/sound.hpp"

namespace tapedeck::mpegts {

/// Of the program with the number asked for, or of the first that has something known, the first video and the first
/// sound. What it says of its tables may change at any time: a stream that stays under its PID goes on. A continuity
/// counter that jumps, a damaged packet and `lose` cost the PES packets they touch; pictures begin again at a key
/// picture. One thread; payloads are copied, once into PES packets and once into their packet's room.
class Demuxer {
public:
    struct Counts {
        std::uint64_t packets = 0;       ///< of 188 bytes
        std::uint64_t lost = 0;          ///< places where something is missing
        std::uint64_t without_sync = 0;  ///< bytes left out until packets begin again
        std::uint64_t broken = 0;        ///< PES packets that cannot be read
    };

    explicit Demuxer(std::optional<std::uint16_t> program = {}) : wanted_(program) {}

    /// Bytes as they come: whole packets cost least, but any pieces will do.
    void push(ByteSpan bytes, MediaOut& out);
    /// Something is missing before the next bytes, as their transport tells.
    void lose();
    /// The stream ends: gives what is known to be whole.
    void finish(MediaOut& out);

    bool has_sync() const { return counts_.packets != 0; }
    /// Whether the program has a video that is known.
    bool expects_video() const { return elementary(true) != nullptr; }
    std::uint64_t dropped_pictures() const;
    const Counts& counts() const { return counts_; }
    /// Why nothing or not everything comes, for people; empty while all is well.
    std::string problem() const;
    /// Streams of the program that are left out, for people; empty: none.
    std::string left_out() const;

private:
    static constexpr std::size_t largest_pes = 16u << 20;

    struct Elementary {
        explicit Elementary(const MappedStream& stream);
        const MappedStream stream;
        std::variant<PictureReader, SoundReader> reader;
        Bytes pes;
        std::size_t size = 0;  // of the packet that has begun; 0: unknown
        bool is_open = false;
        bool is_stuffed = false;  // the last packet, which is then the last of a whole PES packet
    };
    struct Counter {
        std::uint8_t last = 0;
        bool is_known = false, was_doubled = false;
    };
    enum class Order : std::uint8_t { next, doubled, lost };

    void packet(ByteSpan bytes, MediaOut& out);
    Order follow(const Packet& packet);
    void lose_in(std::uint16_t pid);
    void associate(ByteSpan section);
    void map(ByteSpan section, MediaOut& out);
    void payload(Elementary& stream, const Packet& packet, MediaOut& out);
    void end_pes(Elementary& stream, MediaOut& out);
    const Elementary* elementary(bool video) const;

    const std::optional<std::uint16_t> wanted_;
    Bytes rest_;  // the beginning of a packet
    std::map<std::uint16_t, Counter> counters_;
    SectionReader association_;
    std::optional<std::uint8_t> association_version_;
    std::map<std::uint16_t, std::uint16_t> programs_;               // PID of the map by number
    std::map<std::uint16_t, SectionReader> map_readers_;            // by PID
    std::map<std::uint16_t, ProgramMap> maps_;                      // by number, as seen
    std::optional<std::uint16_t> chosen_;                           // number
    std::map<std::uint16_t, std::unique_ptr<Elementary>> streams_;  // by PID
    bool is_scrambled_ = false;
    Counts counts_;
};

}  // namespace tapedeck::mpegts
