#include "stream_reader.hpp"

#include <algorithm>
#include <stdexcept>

namespace tapedeck::ts::test {
namespace {

void require(bool holds, const std::string& rule, std::size_t packet) {
    if (!holds) throw std::runtime_error("packet " + std::to_string(packet) + ": " + rule);
}

std::uint32_t crc_of(const Contents& bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const auto byte : bytes)
        for (int bit = 7; bit >= 0; --bit) {
            const bool top = ((crc >> 31) ^ (byte >> bit & 1u)) != 0;
            crc = crc << 1 ^ (top ? 0x04c11db7u : 0u);
        }
    return crc;
}

std::int64_t time_at(const Contents& bytes, std::size_t at) {
    const auto b = [&](std::size_t i) { return static_cast<std::int64_t>(bytes.at(at + i)); };
    if ((b(0) & 1) == 0 || (b(2) & 1) == 0 || (b(4) & 1) == 0) throw std::runtime_error("a time without marker bits");
    return (b(0) >> 1 & 7) << 30 | b(1) << 22 | b(2) >> 1 << 15 | b(3) << 7 | b(4) >> 1;
}

class Reader {
public:
    explicit Reader(const Contents& bytes) : bytes_(bytes) {}

    Stream run() {
        require(bytes_.size() % 188 == 0, "the file is not whole packets", bytes_.size() / 188);
        for (std::size_t at = 0; at < bytes_.size() / 188; ++at) packet(at);
        for (auto& [pid, pes] : open_) close(pes);
        std::ranges::sort(stream_.units, {}, &Pes::at);
        return std::move(stream_);
    }

private:
    void packet(std::size_t at) {
        const std::uint8_t* p = bytes_.data() + at * 188;
        require(p[0] == 0x47, "no sync byte", at);
        PacketAt packet;
        packet.at = at;
        packet.pid = (p[1] & 0x1fu) << 8 | p[2];
        packet.starts = (p[1] & 0x40) != 0;
        packet.counter = p[3] & 15u;
        packet.has_payload = (p[3] & 0x10) != 0;
        require((p[1] & 0xa0) == 0 && (p[3] & 0xc0) == 0, "an error, priority or scrambling flag", at);
        std::size_t begin = 4;
        if ((p[3] & 0x20) != 0) begin = adaptation(p, packet);
        require(packet.has_payload || begin == 188, "a packet without payload is not filled", at);
        require(begin < 188 || !packet.has_payload, "no room for the payload", at);
        const auto known = counters_.find(packet.pid);
        if (known != counters_.end()) {
            const unsigned expected = packet.has_payload ? (known->second + 1) & 15 : known->second;
            require(packet.counter == expected, "the continuity counter jumps", at);
        }
        if (packet.has_payload || known != counters_.end()) counters_[packet.pid] = packet.counter;
        stream_.packets.push_back(packet);
        if (packet.has_payload) payload(packet, Contents(p + begin, p + 188));
    }

    static std::size_t adaptation(const std::uint8_t* p, PacketAt& packet) {
        const std::size_t length = p[4];
        require(length <= 183, "the adaptation field is too long", packet.at);
        if (length == 0) return 5;
        packet.discontinuity = (p[5] & 0x80) != 0;
        packet.random_access = (p[5] & 0x40) != 0;
        require((p[5] & 0x2f) == 0, "an unexpected flag of the adaptation field", packet.at);
        std::size_t used = 6;
        if ((p[5] & 0x10) != 0) {
            const auto b = [&](std::size_t i) { return static_cast<std::int64_t>(p[6 + i]); };
            const std::int64_t base = b(0) << 25 | b(1) << 17 | b(2) << 9 | b(3) << 1 | b(4) >> 7;
            packet.pcr = base * 300 + ((b(4) & 1) << 8 | b(5));
            used = 12;
        }
        for (std::size_t i = used; i < 5 + length; ++i) require(p[i] == 0xff, "stuffing is not 0xff", packet.at);
        packet.stuffing = 5 + length - used;
        return 5 + length;
    }

    void payload(const PacketAt& packet, Contents bytes) {
        if (packet.pid == 0 || packet.pid == map_pid_) return table(packet, bytes);
        if (!stream_.types.contains(packet.pid)) return;
        if (packet.starts) {
            require(bytes.size() >= 14 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 1, "no PES start", packet.at);
            if (const auto before = open_.find(packet.pid); before != open_.end()) close(before->second);
            Pes pes;
            pes.at = packet.at;
            pes.pid = packet.pid;
            pes.random_access = packet.random_access;
            pes.pcr = packet.pcr;
            pes.payload = std::move(bytes);
            open_[packet.pid] = std::move(pes);
        } else {
            require(open_.contains(packet.pid), "a PES packet goes on that never began", packet.at);
            Contents& all = open_.at(packet.pid).payload;
            all.insert(all.end(), bytes.begin(), bytes.end());
        }
    }

    void close(Pes& pes) {
        const Contents& all = pes.payload;
        pes.stream_id = all[3];
        pes.length_field = all[4] * 256u + all[5];
        if (pes.length_field != 0) require(pes.length_field == all.size() - 6, "PES_packet_length is wrong", pes.at);
        require(pes.length_field != 0 || pes.stream_id == 0xe0, "sound of unknown length", pes.at);
        require((all[6] & 0xc0) == 0x80 && (all[7] & 0x3f) == 0, "unexpected PES flags", pes.at);
        pes.pts = time_at(all, 9);
        require(all[9] >> 4 == (all[7] == 0xc0 ? 3 : 2), "the prefix of the PTS", pes.at);
        if (all[7] == 0xc0) {
            pes.dts = time_at(all, 14);
            require(all[14] >> 4 == 1, "the prefix of the DTS", pes.at);
        }
        pes.payload.erase(pes.payload.begin(), pes.payload.begin() + 9 + all[8]);
        stream_.units.push_back(std::move(pes));
    }

    void table(const PacketAt& packet, const Contents& bytes) {
        require(packet.starts && bytes[0] == 0, "a table does not begin in its packet", packet.at);
        const std::size_t size = 3 + ((bytes[2] & 15u) << 8 | bytes[3]);
        const Contents section(bytes.begin() + 1, bytes.begin() + 1 + static_cast<std::ptrdiff_t>(size));
        require(crc_of(section) == 0, "the CRC of a table", packet.at);
        for (std::size_t i = 1 + size; i < bytes.size(); ++i) require(bytes[i] == 0xff, "table stuffing", packet.at);
        if (packet.pid == 0) {
            require(section[0] == 0, "no PAT on PID 0", packet.at);
            map_pid_ = (section[10] & 0x1fu) << 8 | section[11];
            return;
        }
        require(section[0] == 2, "no PMT on its PID", packet.at);
        const unsigned version = section[5] >> 1 & 31;
        auto& versions = stream_.versions;
        if (versions.empty() || versions.back() != version) versions.push_back(version);
        stream_.clock_pid = (section[8] & 0x1fu) << 8 | section[9];
        for (std::size_t i = 12; i + 5 <= size - 4; i += 5)
            stream_.types[(section[i + 1] & 0x1fu) << 8 | section[i + 2]] = section[i];
    }

    const Contents& bytes_;
    Stream stream_;
    std::map<unsigned, unsigned> counters_;
    std::map<unsigned, Pes> open_;
    unsigned map_pid_ = 0x1fff;
};

}  // namespace

std::vector<Pes> Stream::of(unsigned pid) const {
    std::vector<Pes> some;
    for (const Pes& pes : units)
        if (pes.pid == pid) some.push_back(pes);
    return some;
}

std::vector<std::int64_t> Stream::clocks() const {
    std::vector<std::int64_t> all;
    for (const PacketAt& packet : packets)
        if (packet.pcr) all.push_back(*packet.pcr);
    return all;
}

Stream read_stream(const Contents& bytes) {
    return Reader(bytes).run();
}

std::vector<Contents> nals_of(const Contents& bytes) {
    std::vector<Contents> nals;
    std::size_t begin = 0;
    for (std::size_t i = 0; i + 3 <= bytes.size(); ++i) {
        if (bytes[i] != 0 || bytes[i + 1] != 0 || bytes[i + 2] != 1) continue;
        if (begin != 0) {
            const std::size_t end = i > begin && bytes[i - 1] == 0 ? i - 1 : i;
            nals.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                              bytes.begin() + static_cast<std::ptrdiff_t>(end));
        }
        begin = i + 3;
    }
    if (begin != 0) nals.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end());
    return nals;
}

std::vector<Contents> adts_frames(const Contents& bytes) {
    std::vector<Contents> frames;
    for (std::size_t at = 0; at < bytes.size();) {
        require(bytes.size() - at > 7 && bytes[at] == 0xff && bytes[at + 1] == 0xf1, "no ADTS header", at);
        const std::size_t size = (bytes[at + 3] & 3u) << 11 | bytes[at + 4] * 8u | bytes[at + 5] >> 5;
        require(size >= 7 && size <= bytes.size() - at, "the length of an ADTS frame", at);
        frames.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at + 7),
                            bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
        at += size;
    }
    return frames;
}

}  // namespace tapedeck::ts::test
