"""What is in a file, by other programs' eyes: ffprobe, ffmpeg, and a walk over the boxes."""
import array
import fractions
import functools
import json
import pathlib
import subprocess


def probe(path):
    """ffprobe's format and streams; AssertionError when it cannot read the file."""
    run = subprocess.run(["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
                         capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, f"ffprobe {path}: {run.stderr}"
    return json.loads(run.stdout)


def track(path, kind):
    """The stream of this kind (`video`, `audio`), or None."""
    return next((s for s in probe(path)["streams"] if s["codec_type"] == kind), None)


def _tracks(path):
    """[(kind, rows)] of every video and audio track, by one process for all of them; a row as `packets` gives it."""
    file = path.stat()
    return _tracks_of(path, file.st_mtime_ns, file.st_size)


@functools.lru_cache(maxsize=8)
def _tracks_of(path, _changed, _size):
    isobmff = ["-ignore_editlist", "1"] if path.suffix in (".mp4", ".m4a") else []
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *isobmff, "-copyts", "-i", str(path), "-map", "0:v?", "-map", "0:a?",
                          "-c", "copy", "-copyinkf", "-f", "framemd5", "-"], capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, f"{path}: {run.stderr}"
    lines = run.stdout.splitlines()
    tracks = [(line.rsplit(" ", 1)[1], []) for line in lines if line.startswith("#media_type")]
    for line in lines:
        if line and line[0] != "#":
            track, dts, pts, _, size, md5 = (field.strip() for field in line.split(",")[:6])
            tracks[int(track)][1].append((int(pts), int(dts), int(size), md5))
    return tracks


def packets(path, kind):
    """[(pts, dts, size, md5)] of every packet of the first track of this kind, in its time base, edit lists ignored; none
    when there is no such track."""
    return next((list(rows) for of, rows in _tracks(pathlib.Path(path)) if of == kind), [])


def times(path, kind):
    """Presentation times in seconds of every packet of the first track of this kind, as a player sees them."""
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", f"{kind[0]}:0", "-show_entries", "packet=pts_time",
                          "-of", "csv=p=0", str(path)], capture_output=True, text=True, check=True)
    return [float(line.strip(",")) for line in run.stdout.split()]


def hashes(path, kind):
    return [md5 for *_, md5 in packets(path, kind)]


@functools.lru_cache(maxsize=64)
def codecs(path):
    """(of its pictures, of its sound)"""
    named = {stream["codec_type"]: stream["codec_name"] for stream in probe(path)["streams"]}
    return named.get("video"), named.get("audio")


@functools.lru_cache(maxsize=64)
def contents(path, of):
    """{kind: [(seconds, md5)]} of the packets of the first tracks as a player sees them, free of what containers add: sizes,
    start codes, ADTS, parameter sets. AssertionError where its codecs are not these."""
    bare = {"h264": "h264_mp4toannexb,filter_units=remove_types=6-9", "aac": "aac_adtstoasc",
            "hevc": "hevc_mp4toannexb,filter_units=remove_types=32-35|39"}
    filters = [word for kind, codec in zip("va", of) if codec in bare for word in (f"-bsf:{kind}", bare[codec])]
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", str(path), "-map", "0:v:0", "-map", "0:a:0", "-c", "copy", "-copyinkf",
                          *filters, "-f", "framemd5", "-"], capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, f"{path}: {run.stderr}"
    lines = run.stdout.splitlines()
    found = tuple(line.split(": ")[1] for line in lines if line.startswith("#codec_id"))
    assert found == of, f"{path}: {found}, not {of}"
    bases = [fractions.Fraction(line.split(": ")[1]) for line in lines if line.startswith("#tb")]
    kinds = {"video": [], "audio": []}
    for line in lines:
        if line[0] != "#":
            track, _, pts, _, _, md5 = (field.strip() for field in line.split(",")[:6])
            kinds["audio" if int(track) else "video"].append((float(int(pts) * bases[int(track)]), md5))
    return kinds


@functools.lru_cache(maxsize=64)
def _samples(path):
    """Of its sound, 8000 a second, from time 0 on."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", str(path), "-map", "0:a:0", "-af", "aresample=8000:async=1:first_pts=0", "-ac", "1",
                          "-f", "s16le", "-"], capture_output=True, check=True)
    return array.array("h", run.stdout)


def lag(path, source, offset, at):
    """Seconds by which the sound of the file at `at` is too late, where that of the source belongs `offset` seconds later; 50 ms
    at most. The sound must not repeat itself."""
    begin = round(8000 * at)
    ours, theirs = _samples(path)[begin:begin + 400], _samples(source)
    assert len(ours) == 400, f"{path}: no sound at {at:.3f} s"

    def off(lag):
        first = begin - round(8000 * offset) - lag
        return sum(abs(mine - other) for mine, other in zip(ours, theirs[first:first + 400])) if 0 <= first <= len(theirs) - 400 else 1 << 40
    return min(range(-400, 401), key=off) / 8000


def all_hashes(path):
    """{kind: [md5]} of the packets of all tracks."""
    found = {}
    for kind, rows in _tracks(pathlib.Path(path)):
        found.setdefault(kind, []).extend(md5 for *_, md5 in rows)
    return found


def pictures(path):
    """[md5] of each decoded picture, in the order they are shown, whatever their times."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"],
                         capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, f"{path}: {run.stderr}"
    return [line.rsplit(",", 1)[1].strip() for line in run.stdout.splitlines() if line and line[0] != "#"]


def decoded(path):
    """{kind: [md5]} of what is shown and heard, in its order; AssertionError when ffmpeg complains."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0?", "-map", "0:a:0?", "-fps_mode", "passthrough",
                          "-enc_time_base:v", "-1", "-f", "framemd5", "-"], capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, f"{path}: {run.stderr}"
    lines = run.stdout.splitlines()
    kinds = [line.rsplit(" ", 1)[1] for line in lines if line.startswith("#media_type")]
    rows = [line.split(",") for line in lines if line and line[0] != "#"]
    return {kind: [row[-1].strip() for row in rows if int(row[0]) == number] for number, kind in enumerate(kinds)}


def text(path):
    """[(seconds, text)] of every block of the first track of text of a Matroska file."""
    shown = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "s:0", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0",
                            str(path)], capture_output=True, text=True, check=True).stdout.split()
    times, sizes = zip(*((float(time), int(size)) for time, size in (line.split(",")[:2] for line in shown)))
    said = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:s:0", "-c", "copy", "-f", "data", "-"],
                          capture_output=True, check=True).stdout
    ends = [sum(sizes[:n + 1]) for n in range(len(sizes))]
    return [(time, said[end - size:end].decode()) for time, size, end in zip(times, sizes, ends)]


def decodes(path):
    """ffmpeg's complaints while decoding everything; empty when there are none."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-enc_time_base:v", "-1", "-f", "null", "-"],
                         capture_output=True, text=True)
    return run.stderr.strip() + ("" if run.returncode == 0 else f" (exit {run.returncode})")


def boxes(path):
    """Types of the top-level boxes in order; AssertionError when they do not fill the file exactly."""
    found, at, size = [], 0, path.stat().st_size
    with open(path, "rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - at
            assert length >= 8 and at + length <= size, f"{path}: box {head[4:8]!r} of {length} bytes at {at} of {size}"
            found.append(head[4:8].decode("latin1"))
            at += length
    return found


def is_progressive(path):
    """Whether it is a plain MP4 with its index before its media and no fragments to be seen."""
    types = boxes(path)
    return "moof" not in types and types.count("moov") == 1 and "mdat" in types and types.index("moov") < types.index("mdat")


def seconds(path):
    return float(probe(path)["format"]["duration"])


def loudness(path):
    """The mean volume of the sound, in dB below full scale."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-map", "0:a:0", "-af", "volumedetect", "-f", "null", "-"],
                         capture_output=True, text=True, check=True)
    return float(run.stderr.split("mean_volume:")[1].split("dB")[0])
