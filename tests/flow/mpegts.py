"""A transport stream taken apart by ISO/IEC 13818-1 alone, and the same of an FLV file, to compare them."""
import collections

import flv

Unit = collections.namedtuple("Unit", "pts dts payload")
_NOT_COMPARED = (7, 8, 9)  # SPS, PPS, delimiter


def _time(b):
    assert b[0] & 1 and b[2] & 1 and b[4] & 1, "a time without marker bits"
    return (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1


def _nals(stream):
    """The NAL units behind start codes that are compared."""
    parts = stream.split(b"\0\0\1")[1:]
    nals = [part[:-1] if part.endswith(b"\0") and n + 1 < len(parts) else part for n, part in enumerate(parts)]
    return [nal for nal in nals if nal[0] & 31 not in _NOT_COMPARED]


class Stream:
    def __init__(self):
        self.clocks = []                           # 27 MHz, in the order of the file
        self.types = {}                            # stream_type by PID
        self.units = collections.defaultdict(list)  # by PID
        self.entries = []                          # (clock, position of the tables before it) of each random access point

    def longest_clock_step(self):
        """Seconds between two clock references."""
        steps = [b - a for a, b in zip(self.clocks, self.clocks[1:])]
        assert all(step >= 0 for step in steps), "the clock falls back"
        return max(steps) / 27e6

    def seek(self, seconds):
        """Where a player that seeks by the clock begins to read for this time from the start."""
        return max((at for clock, at in self.entries if clock - self.clocks[0] <= seconds * 27e6), default=0)

    def of(self, *types):
        return [unit for pid, type_ in self.types.items() if type_ in types for unit in self.units[pid]]

    def pictures(self):
        """[[NAL unit]] of each picture, in decoding order."""
        return [_nals(unit.payload) for unit in self.of(0x1b)]

    def frames(self):
        """AAC without its headers."""
        frames = []
        for unit in self.of(0x0f):
            data = unit.payload
            while data:
                assert data[0] == 0xff and data[1] == 0xf1, "no ADTS header"
                size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
                frames.append(data[7:size])
                data = data[size:]
        return frames


def read(path):
    """AssertionError when sync, counters or lengths break the rules."""
    data = path.read_bytes()
    assert len(data) % 188 == 0, f"{path} is not whole packets"
    stream, counters, open_, map_pid, tables = Stream(), {}, {}, None, 0

    def close(pid):
        pes = b"".join(open_.pop(pid))
        length = pes[4] << 8 | pes[5]
        assert pes[:3] == b"\0\0\1" and length in (0, len(pes) - 6), "PES start or length"
        pts = _time(pes[9:14])
        stream.units[pid].append(Unit(pts, _time(pes[14:19]) if pes[7] & 0x40 else pts, pes[9 + pes[8]:]))

    for at in range(0, len(data), 188):
        packet = data[at:at + 188]
        assert packet[0] == 0x47, f"no sync byte at {at}"
        pid, starts, counter = (packet[1] & 31) << 8 | packet[2], packet[1] & 0x40, packet[3] & 15
        begin = 4
        if packet[3] & 0x20:
            begin = 5 + packet[4]
            if packet[4] and packet[5] & 0x10:
                base = int.from_bytes(packet[6:11], "big") >> 7
                stream.clocks.append(base * 300 + ((packet[10] & 1) << 8 | packet[11]))
                if packet[5] & 0x40:
                    stream.entries.append((stream.clocks[-1], tables))
        if not packet[3] & 0x10:
            continue
        assert counters.get(pid, counter - 1 & 15) == counter - 1 & 15, f"the counter of {pid} jumps at {at}"
        counters[pid] = counter
        payload = packet[begin:]
        if pid == 0:
            tables = at
            map_pid = (payload[11] & 31) << 8 | payload[12]
        elif pid == map_pid:
            for entry in range(13, 4 + ((payload[2] & 15) << 8 | payload[3]) - 4, 5):
                stream.types[(payload[entry + 1] & 31) << 8 | payload[entry + 2]] = payload[entry]
        elif pid in stream.types:
            if starts and pid in open_:
                close(pid)
            assert starts or pid in open_, "a PES packet goes on that never began"
            open_.setdefault(pid, []).append(payload)
    for pid in list(open_):
        close(pid)
    return stream


def pictures_of(path):
    """The same as `Stream.pictures` of an FLV file."""
    pictures = []
    for kind, _, body in flv.read(path):
        if kind != 9 or body[1] != 1:
            continue
        nals, data = [], body[5:]
        while data:
            size = int.from_bytes(data[:4], "big")
            if data[4] & 31 not in _NOT_COMPARED:
                nals.append(data[4:4 + size])
            data = data[4 + size:]
        pictures.append(nals)
    return pictures


def frames_of(path):
    return [body[2:] for kind, _, body in flv.read(path) if kind == 8 and body[1] == 1]
