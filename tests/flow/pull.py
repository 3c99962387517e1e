"""RTMP streams that are pulled from nginx-rtmp and from an ffmpeg that listens, by REST."""
import socket
import subprocess

import clips
import media
from case import FlowTest, eventually, run
from server import free_port

NGINX = """load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log warn;
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; chunk_size 4096; access_log off; application live {{ live on; wait_key on; }} }} }}
"""


class Pull(FlowTest):
    def setUp(self):
        super().setUp()
        self.home, self.port = self.scratch / "nginx", free_port()
        (self.home / "logs").mkdir(parents=True)
        (self.home / "nginx.conf").write_text(NGINX.format(home=self.home, port=self.port))
        self.source = f"rtmp://127.0.0.1:{self.port}/live/cam"

    def started(self, *command):
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def nginx(self):
        started = self.started("nginx", "-p", self.home, "-c", self.home / "nginx.conf")

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        eventually(listens, "nginx listens; bin/setup installs it with its RTMP module")
        return started

    def publish(self, clip):
        return self.started("ffmpeg", "-nostdin", "-v", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv", self.source)

    def agent(self, server, status):
        """What find_all says of the one pull, once it has this status."""
        def found():
            code, agents = server.rest("/pull/find_all")
            return agents[0] if code == 200 and agents[0]["status"] == status else None
        return eventually(found, lambda: f"{status}; it is {server.rest('/pull/find_all')}", 15)

    def test_a_pulled_stream_is_recorded_and_goes_on_when_its_server_returns(self):
        server = self.server({"record_flash_published_streams": "false", "record_reconnect_timeout": "20s",
                              "protocol.rtmp.pull_longest_pause": "100ms"})
        self.assertEqual(server.rest("/pull/find_all")[0], 404)
        for body, status in (({"uri": "http://127.0.0.1/live/cam"}, 400), ({"uri": "rtmp://127.0.0.1/cam"}, 400), ({}, 400),
                             ({"uri": self.source, "localStreamName": "front", "record": "true"}, 200),
                             ({"uri": self.source, "localStreamName": "other"}, 409),
                             ({"uri": self.source + "2", "localStreamName": "front"}, 409)):
            self.assertEqual(server.rest("/pull/pull", body)[0], status, body)
        self.assertIn("Connection refused", self.agent(server, "FAILED")["info"])

        clip = clips.both(2)
        source = self.nginx()
        self.publish(clip)
        agent = self.agent(server, "PROCESSED_REMOTE")
        self.assertEqual((agent["localStreamName"], agent["uri"], agent["record"]), ("front", self.source, True))
        self.assertEqual(server.stream("front")["mediaSessionId"], agent["localMediaSessionId"])
        eventually(lambda: (found := self.agent(server, "PROCESSED_REMOTE"))["hasAudio"] and found["hasVideo"], "both kinds are shown")
        source.kill()
        source.wait()
        self.agent(server, "FAILED")
        self.nginx()
        sender = self.publish(clip)
        self.agent(server, "PROCESSED_REMOTE")
        self.assertEqual(sender.wait(20), 0)
        self.assertEqual(server.rest("/pull/terminate", {"uri": "rtmp://127.0.0.1/live/none"})[0], 404)
        self.assertEqual(server.rest("/pull/terminate", {"uri": self.source})[0], 200)
        self.assertEqual(server.rest("/pull/find_all")[0], 404)
        self.assertEqual(server.terminate(), 0)  # waits for nobody any more
        file, = server.files()
        self.assertEqual(file.name, "front.mp4")
        for kind in ("video", "audio"):
            sent, kept = media.hashes(clip, kind), media.hashes(file, kind)
            self.assertLessEqual(set(kept), set(sent), kind)
            self.assertGreater(len(kept), len(sent) / 2, kind)
        order = [media.hashes(clip, "video").index(picture) for picture in media.hashes(file, "video")]
        self.assertEqual(sum(b <= a for a, b in zip(order, order[1:])), 1, "both parts, each in its order: " + str(order))
        self.assertEqual(media.decodes(file), "")

    def test_an_ffmpeg_that_listens_is_pulled_whole(self):
        server, clip = self.server({"record_flash_published_streams": "false"}), clips.both(2)
        sender = self.started("ffmpeg", "-nostdin", "-v", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv", "-listen", "1", self.source)
        self.assertEqual(server.rest("/pull/pull", {"uri": self.source, "localStreamName": "front", "record": True})[0], 200)
        self.agent(server, "PROCESSED_REMOTE")
        self.assertEqual(sender.wait(20), 0)
        self.agent(server, "FAILED")
        self.assertEqual(server.rest("/pull/terminate", {"uri": self.source})[0], 200)
        file = server.file("front.mp4")
        for kind in ("video", "audio"):
            self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), kind)


if __name__ == "__main__":
    run()
