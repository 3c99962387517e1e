"""Generated clips, made once for all builds. What they hold is known, so tests can compare packets with them."""
import fcntl
import subprocess

from case import SOURCE

_PICTURE = "testsrc2=size=320x240:rate=25"
_TONE = "sine=frequency=440:sample_rate=44100"
_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "400k"]
_AAC = ["-c:a", "aac", "-ac", "2", "-b:a", "64k"]


def _clip(name, *arguments):
    folder = SOURCE / "build" / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with open(folder / (name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run at the same time
        if not path.exists():
            fresh = folder / ("new-" + name)
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(fresh)], check=True)
            fresh.rename(path)
    return path


def both(seconds=6, gop=25):
    """H.264 without B-frames and AAC, a key frame each `gop` frames of 25 a second."""
    return _clip(f"both-{seconds}-{gop}.flv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE, "-t", str(seconds),
                 *_X264, "-bf", "0", "-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", *_AAC)


def large(seconds=6):
    """Another size than `both` has."""
    return _clip(f"large-{seconds}.flv", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", _TONE, "-t", str(seconds),
                 *_X264, "-bf", "0", "-g", "25", *_AAC)


def b_frames(seconds=6):
    return _clip(f"b-frames-{seconds}.flv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE, "-t", str(seconds),
                 "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "400k", "-bf", "3", "-g", "50", *_AAC)


def slow(seconds=6):
    """Five frames a second."""
    return _clip(f"slow-{seconds}.flv", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5", "-f", "lavfi", "-i", _TONE, "-t", str(seconds),
                 *_X264, "-bf", "2", "-g", "10", *_AAC)


def audio(seconds=6):
    return _clip(f"audio-{seconds}.flv", "-f", "lavfi", "-i", _TONE, "-t", str(seconds), *_AAC)


def video(seconds=6):
    return _clip(f"video-{seconds}.flv", "-f", "lavfi", "-i", _PICTURE, "-t", str(seconds), *_X264, "-bf", "0", "-g", "25")


def heavy(seconds=20, megabits=8):
    """Enough bytes to fill a small disk in a few seconds."""
    return _clip(f"heavy-{seconds}-{megabits}.flv", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25,noise=alls=40:allf=t",
                 "-f", "lavfi", "-i", _TONE, "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
                 "-b:v", f"{megabits}M", "-minrate", f"{megabits}M", "-maxrate", f"{megabits}M", "-bufsize", f"{megabits}M",
                 "-bf", "0", "-g", "25", *_AAC)


def heavy_vp8(seconds=20, megabits=8):
    """As `heavy`, as WebM with Opus."""
    return _clip(f"heavy-{seconds}-{megabits}.webm", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25,noise=alls=40:allf=t",
                 "-f", "lavfi", "-i", _TONE, "-t", str(seconds), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8",
                 "-b:v", f"{megabits}M", "-minrate", f"{megabits}M", "-maxrate", f"{megabits}M", "-g", "25", "-c:a", "libopus")


def mp3(seconds=4):
    """A codec that no MP4 recording takes as it is."""
    return _clip(f"mp3-{seconds}.flv", "-f", "lavfi", "-i", _TONE, "-t", str(seconds), "-c:a", "libmp3lame", "-b:a", "64k")


def h265(seconds=6):
    """H.265 with B-frames and MP3."""
    return _clip(f"h265-{seconds}.mkv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE, "-t", str(seconds), "-c:v", "libx265",
                 "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2:keyint=50", "-pix_fmt", "yuv420p", "-c:a", "libmp3lame", "-b:a", "64k")


def broadcast(seconds=20):
    """720p at 30 frames and 1.5 Mbit/s, as an encoder at an event sends it; textured, so that the rate is really spent."""
    return _clip(f"broadcast-{seconds}.flv", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30,noise=alls=6:allf=t", "-f", "lavfi",
                 "-i", _TONE, "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p",
                 "-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "3000k", "-bf", "0", "-g", "60", "-keyint_min", "60",
                 "-sc_threshold", "0", "-c:a", "aac", "-ac", "2", "-b:a", "96k")


def camera(seconds=50):
    """720p at 25 frames and 1.5 Mbit/s with AAC, as IP cameras and encoders send it; FLV, without B-frames."""
    return _clip(f"camera-{seconds}.flv", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25,noise=alls=6:allf=t", "-f", "lavfi",
                 "-i", _TONE, "-t", str(seconds), "-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-pix_fmt", "yuv420p",
                 "-b:v", "1400k", "-maxrate", "1400k", "-bufsize", "2800k", "-bf", "0", "-g", "50", "-keyint_min", "50",
                 "-sc_threshold", "0", "-c:a", "aac", "-ac", "2", "-b:a", "96k")


_TONE48 = "sine=frequency=440:sample_rate=48000"
_VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "400k"]
_OPUS = ["-c:a", "libopus", "-b:a", "64k"]


def vp8_opus(seconds=10):
    """VP8 with a key frame each 2 s, and Opus, as browsers send them."""
    return _clip(f"vp8-opus-{seconds}.webm", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE48, "-t", str(seconds), *_VP8,
                 "-g", "50", *_OPUS)


def h264_opus(seconds=10):
    """H.264 with B-frames, and Opus."""
    return _clip(f"h264-opus-{seconds}.mkv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE48, "-t", str(seconds),
                 "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "400k", "-bf", "3", "-g", "50", *_OPUS)


def h264_large(seconds=6):
    """Another size than `h264_opus` has."""
    return _clip(f"h264-large-{seconds}.mkv", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", _TONE48,
                 "-t", str(seconds), *_X264, "-bf", "0", "-g", "50", *_OPUS)


def vp8_large(seconds=6):
    """Another size than `vp8_opus` has."""
    return _clip(f"vp8-large-{seconds}.webm", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", _TONE48,
                 "-t", str(seconds), *_VP8, "-g", "50", *_OPUS)


def keys_only(seconds=60):
    """VP8 of which every frame is a key frame."""
    return _clip(f"keys-only-{seconds}.webm", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-t", str(seconds), *_VP8, "-g", "1")


def mkv_of(video, audio, seconds=3):
    """These codecs in Matroska; Speex, PCM and G.722 at the rates that telephones send."""
    encoders = {"h264": [*_X264, "-bf", "0"], "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=0"],
                "vp9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
                "av1": ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8"],
                "opus": _OPUS, "aac": _AAC, "mp3": ["-c:a", "libmp3lame"], "speex": ["-c:a", "libspeex", "-ar", "16000", "-ac", "1"],
                "pcm_alaw": ["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"], "pcm_mulaw": ["-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"],
                "g722": ["-c:a", "g722", "-ar", "16000", "-ac", "1"]}
    return _clip(f"{video}-{audio}-{seconds}.mkv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE48, "-t", str(seconds),
                 *encoders[video], "-g", "25", *encoders[audio])


def telephone(law, seconds=3):
    """H.264, and a tone in G.711 that rises, so that each moment of it is like no other."""
    return _clip(f"telephone-{law}-{seconds}.mkv", "-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*(200+150*t)*t):s=8000",
                 "-t", str(seconds), *_X264, "-bf", "0", "-g", "25", "-c:a", law)


def pair(video, audio, seconds=4):
    """MKV of H.264 or H.265, with B-frames, or VP8 (or none) with AAC, MP2, AC-3, Opus, PCMA, PCMU or G722 (or none)."""
    pictures = {"h264": [*_X264, "-bf", "2", "-g", "25"],
                "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2:keyint=25", "-pix_fmt", "yuv420p"],
                "vp8": ["-c:v", "libvpx", "-b:v", "300k", "-deadline", "realtime", "-g", "25"]}
    sounds = {"aac": _AAC, "mp2": ["-c:a", "mp2"], "ac3": ["-c:a", "ac3"], "opus": ["-c:a", "libopus", "-ar", "48000"], "pcma": ["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"],
              "pcmu": ["-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"], "g722": ["-c:a", "g722", "-ar", "16000", "-ac", "1"]}
    inputs = (["-f", "lavfi", "-i", _PICTURE] if video else []) + (["-f", "lavfi", "-i", _TONE] if audio else [])
    return _clip(f"pair-{video or 'none'}-{audio or 'none'}-{seconds}.mkv", *inputs, "-t", str(seconds), *pictures.get(video, []), *sounds.get(audio, []))


def clicking(video, audio, seconds, rate, every):
    """MKV of small pictures, `rate` a second, and sound that is silent but for a click each `every` seconds, the first one
    in the middle."""
    pictures = {"h264": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2"], "vp8": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]}
    sounds = {"aac": ["-c:a", "aac", "-ar", "44100", "-aac_coder", "fast"], "opus": ["-c:a", "libopus", "-compression_level", "0"]}
    click = f"if(lt(mod(t+{every / 2}\\,{every})\\,0.02)\\,0.8*sin(2*PI*1000*t)\\,0)"
    return _clip(f"clicking-{video}-{audio}-{seconds}-{rate}.mkv", "-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={rate}", "-f", "lavfi", "-i",
                 f"aevalsrc={click}:s=48000:d={every},aloop=-1:{48000 * every}", "-t", str(seconds), *pictures[video], "-g", str(2 * rate), *sounds[audio])


def browser(codec, seconds=4, kilobits=1000, size="640x360"):
    """As browsers send it: VP8 or H.264 without B-frames and Opus, a key frame each second, of textured pictures so that the
    rate is really spent."""
    encoders = {"vp8": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"],
                "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0", "-sc_threshold", "0"]}
    rate = f"{kilobits}k"
    return _clip(f"browser-{codec}-{seconds}-{kilobits}-{size}.mkv", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25,noise=alls=6:allf=t", "-f", "lavfi",
                 "-i", _TONE48, "-t", str(seconds), *encoders[codec], "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", "25", *_OPUS)
