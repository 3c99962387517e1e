"""FLV files taken apart and put together otherwise: what no ffmpeg sends but an encoder may."""
import json
import struct
import subprocess

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


_FOUR = {"hevc": (b"hvc1", b"hvcC"), "vp9": (b"vp09", b"vpcC"), "av1": (b"av01", b"av1C")}


def _setup(clip, box):
    """The decoder setup of a clip's pictures, out of an MP4 file of it."""
    made = clip.with_suffix(".setup.mp4")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, "-map", "0:v", "-c", "copy", "-frames:v", "2", made], check=True)
    data = made.read_bytes()
    at = data.index(box)
    return data[at + 4:at - 4 + int.from_bytes(data[at - 4:at], "big")]


def _packets(clip, kind):
    """(pts, dts, is key, bytes) of each, in milliseconds."""
    listed = subprocess.run(["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time,dts_time,flags,size", "-of", "json", clip],
                            check=True, capture_output=True)
    data = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-map", f"0:{kind}", "-c", "copy", "-f", "data", "-"], check=True, capture_output=True).stdout
    at = 0
    for packet in json.loads(listed.stdout)["packets"]:
        pts = round(float(packet["pts_time"]) * 1000)
        yield pts, round(float(packet.get("dts_time", packet["pts_time"])) * 1000), packet["flags"].startswith("K"), data[at:at + int(packet["size"])]
        at += int(packet["size"])


def enhanced(path, clip, codec):
    """The Matroska clip of this codec and Opus as Enhanced RTMP sends it."""
    four, box = _FOUR[codec]
    setup = (b"\x01\0\0\0" if codec == "vp9" else b"") + _setup(clip, box)[4 if codec == "vp9" else 0:]
    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", 0, 48000, 0, 0)
    tags = [(VIDEO, 0, b"\x90" + four + setup), (AUDIO, 0, b"\x90Opus" + head)]
    for pts, dts, key, data in _packets(clip, "v"):
        offset = (pts - dts).to_bytes(3, "big", signed=True) if codec == "hevc" else b""
        tags.append((VIDEO, max(dts, 0), (b"\x91" if key else b"\xa1") + four + offset + data))
    tags += [(AUDIO, max(dts, 0), b"\x91Opus" + data) for _, dts, _, data in _packets(clip, "a")]
    return write(path, sorted(tags, key=lambda tag: tag[1]))
