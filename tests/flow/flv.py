"""FLV files taken apart and put together otherwise: what no ffmpeg sends but an encoder may."""
import struct

AUDIO, VIDEO, SCRIPT = 8, 9, 18


def read(path):
    """[(type, time in ms, body)] of every tag."""
    data, at, tags = path.read_bytes(), 13, []
    while at < len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        time = int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24
        tags.append((data[at], time, data[at + 11:at + 11 + size]))
        at += 15 + size
    return tags


def write(path, tags):
    with open(path, "wb") as file:
        file.write(b"FLV\x01\x05" + struct.pack(">II", 9, 0))
        for kind, time, body in tags:
            time &= 0xFFFFFFFF
            head = bytes([kind]) + len(body).to_bytes(3, "big") + (time & 0xFFFFFF).to_bytes(3, "big") + bytes([time >> 24, 0, 0, 0])
            file.write(head + body + struct.pack(">I", 11 + len(body)))
    return path


def is_setup(tag):
    kind, _, body = tag
    return kind == SCRIPT or (kind in (AUDIO, VIDEO) and len(body) > 1 and body[1] == 0)


def is_end(tag):
    kind, _, body = tag
    return kind == VIDEO and len(body) > 1 and body[1] == 2
