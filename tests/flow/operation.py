"""Starting, stopping and steering the server as an operator does: signals, bad settings, a second server, folders."""
import json
import os
import shutil
import signal
import subprocess

import clips
import media
from case import BUILD, SOURCE, FlowTest, eventually, run
from server import Server
from web_socket import WebSocket


class Operation(FlowTest):
    def idle(self, settings=None, **kwargs):
        """A home whose server is not started."""
        return Server(self.scratch / f"idle{len(list(self.scratch.iterdir()))}", settings or {}, **kwargs)

    def refused(self, server, *words):
        """The server does not start, exits with 1 and says these words."""
        self.addCleanup(server.end)
        server.spawn()
        self.assertEqual(server.process.wait(60), 1, server.log())
        for word in words:
            self.assertIn(word, server.log())

    def test_sigterm_finishes_every_recording_and_its_hook(self):
        server = self.server()
        names = [f"s{n}" for n in range(4)]
        publishers = [server.publishing(clips.both(), name, loop=True) for name in names]
        for name in names:
            server.stream(name)
        eventually(lambda: len(server.parts()) == 4 and min(p.stat().st_size for p in server.parts()) > 30_000, "four files grow", 20)
        self.assertEqual(server.terminate(), 0)
        for publisher in publishers:
            publisher.wait(30)
        self.assertEqual([f.name for f in server.files()], [name + ".mp4" for name in names])
        for file in server.files():
            self.assertTrue(media.is_progressive(file), file.name)
            self.assertEqual(media.decodes(file), "")
        self.assertEqual(sorted(stream for stream, _ in server.hook_calls()), names)
        self.assertEqual(server.parts(), [])

    def test_sigint_ends_it_too(self):
        server = self.server()
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(30), 0)

    def test_sighup_reads_settings_again_while_a_recording_runs_on(self):
        server = self.server()
        clip = clips.both(12)
        publisher = server.publishing(clip, "before")
        server.stream("before")
        eventually(server.parts, "the recording")
        server.configure(stream_record_policy_template="new-{streamName}")
        server.reload()
        server.logged("reading the settings again")
        server.publish(clips.audio(2), "after")
        server.file("new-after.mp4")
        publisher.wait(60)
        _, path = next(call for call in server.hooked(2) if call[0] == "before")
        self.assertEqual(media.hashes(path, "video"), media.hashes(clip, "video"))

    def test_a_bad_setting_at_sighup_changes_nothing(self):
        server = self.server()
        server.configure(file_recorder_max_errors_per_interval="many", stream_record_policy_template="new-{streamName}")
        server.reload()
        server.logged("file_recorder_max_errors_per_interval")
        server.publish(clips.audio(2), "still")
        server.file("still.mp4")

    def test_a_second_server_on_the_same_home_is_refused_with_the_holder_s_pid(self):
        server = self.server()
        again = server.run("-D", "http.port=0")
        self.assertEqual(again.returncode, 1)
        self.assertIn(str(server.process.pid), again.stdout + again.stderr)
        server.publish(clips.audio(2), "unharmed")
        server.file("unharmed.mp4")

    def test_a_port_in_use_is_fatal_when_it_was_configured(self):
        first = self.server()
        second = self.idle({"rtmp.port": str(first.ports["rtmp"])})
        self.refused(second, str(first.ports["rtmp"]))

    def test_check_config_names_line_key_value_and_nearest_name(self):
        server = self.idle({"record_streams": "perhaps", "record_rotation": "much", "protocol.rtmp.prot": "1935"})
        result = server.run("--check-config")
        words = result.stdout + result.stderr
        self.assertEqual(result.returncode, 1, words)
        lines = (server.home / "conf" / "flashphoner.properties").read_text().splitlines()
        for key, hint in (("protocol.rtmp.prot", "protocol.rtmp.port"), ("record_streams", "perhaps"), ("record_rotation", "much")):
            number = 1 + next(i for i, line in enumerate(lines) if line.startswith(key + "="))
            (told,) = [line for line in words.splitlines() if f"flashphoner.properties:{number}:" in line]
            self.assertIn(key, told)
            self.assertIn(hint, told)
        self.refused(server, "protocol.rtmp.prot")

    def test_check_config_names_folders_that_cannot_be_written_and_makes_none(self):
        file = self.scratch / "file"
        file.write_text("no folder")
        server = self.idle({"record_dir": str(file / "records"), "record_tmp_dir": str(file), "log.dir": str(file / "logs"),
                            "state_dir": "deep/state", "mp4_cutter_dir": str(file / "parts")})
        before = sorted(server.home.rglob("*"))
        result = server.run("--check-config")
        words = (result.stdout + result.stderr).splitlines()
        self.assertEqual(result.returncode, 1, words)
        for setting, folder in (("storage.local", "records"), ("record_tmp_dir", ""), ("log.dir", "logs"), ("mp4_cutter_dir", "parts")):
            (told,) = [line for line in words if line.startswith(setting + ":")]
            self.assertIn(f"the folder {file / folder} cannot be written: ", told)
        self.assertFalse([line for line in words if line.startswith("state_dir")], words)
        self.assertEqual(sorted(server.home.rglob("*")), before)

    def test_check_config_is_content_with_what_is_shipped(self):
        server = self.idle(properties=(SOURCE / "conf" / "flashphoner.properties").read_text())
        result = server.run("--check-config")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_stock_file_starts_with_one_line_about_what_is_ignored(self):
        text = """# Web Call Server
ip=192.0.2.1
ip_local =0.0.0.0
port_from =30000
port_to   =31000
media_port_from        =31001
media_port_to          =32000
codecs =opus,alaw,ulaw,g729,speex16,g722,mpeg4-generic,telephone-event,h264,vp8,flv,mpv
codecs_exclude_sip=mpeg4-generic,flv,mpv
user_agent =Flashphoner/1.0
client_mode=false
ws.port=8080
wss.port=8443
rtsp.port=554
rtp_activity_detecting=true,60
client_log_level=INFO
record_flash_published_streams=true
on_record_hook_script =on_record_hook.sh
record_dir=/usr/local/FlashphonerWebCallServer/records
stream_record_policy_template={streamName}
file_recorder_min_space=1m
record_steams=true
"""
        server = self.server(properties=text)
        ignored = [line for line in server.log().splitlines() if "ignored" in line]
        self.assertEqual(len(ignored), 1, ignored)
        self.assertIn("codecs_exclude_sip", ignored[0])
        self.assertIn("record_streams", server.log())  # the nearest name of record_steams
        server.publish(clips.audio(2), "stock")
        server.file("stock.mp4")
        self.assertEqual(len(server.hooked(1)), 1)

    def test_formats_that_cannot_be_are_named_and_ignored(self):
        server = self.server({"record_formats": "H264-mp4,  vp8-mp4 , VP8-ts, h264-ogg, nonsense"})
        for words in ("vp8-mp4", "VP8-ts", "h264-ogg", "nonsense"):
            self.assertIn(words, server.log())
        server.publish(clips.both(), "formats")
        server.file("formats.mp4")

    def test_h264_goes_to_mp4_when_no_writer_of_ts_is_enabled(self):
        server = self.server({"record_h264_to_ts": "true",
                              "enable": "protocol.rtmp, writer.mp4, naming.template, storage.local, hook.script"})
        self.assertIn("record_h264_to_ts: no writer plugin for 'ts'", server.log())
        server.publish(clips.both(), "formats")
        server.file("formats.mp4")

    def test_more_finishing_threads_than_processors_are_warned_about(self):
        server = self.server({"file_recorder_thread_pool_max_size": "64"})
        self.assertIn("file_recorder_thread_pool_max_size", server.log())

    def test_list_plugins_names_every_file_with_its_kinds_or_why_it_is_refused(self):
        server = self.idle()
        folder = self.scratch / "more"
        folder.mkdir()
        (folder / "text.so").write_text("not a library")
        result = server.run("--list-plugins", "-D", f"plugin_path={folder}")
        words = result.stdout + result.stderr
        self.assertEqual(result.returncode, 0, words)
        for name in ("protocol_rtmp.so", "writer_mp4.so", "naming_template.so", "storage_local.so", "hook_script.so"):
            self.assertIn(name, words)
        self.assertIn("text.so: not a shared library", words)

    def test_version_and_help_tell_and_end(self):
        server = self.idle()
        version = server.run("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"\d+\.\d+\.\d+")
        self.assertEqual(server.run("--no-such-option").returncode, 1)
        self.assertIn("--check-config", server.run("--help").stdout)

    def test_health_has_version_ports_and_plugins(self):
        server = self.server()
        status, headers, body = server.request("GET", "/health")
        health = json.loads(body)
        self.assertEqual(status, 200)
        self.assertRegex(health["version"], r"^\d+\.\d+")
        self.assertEqual(health["ports"]["http"], server.http_port)
        self.assertGreater(health["ports"]["rtmp"], 0)
        self.assertLessEqual({"ws", "wss", "webrtc"}, health["ports"].keys())
        self.assertIn("rtmp", json.dumps(health["plugins"]))

    def test_ports_of_websockets_are_open_only_where_somebody_speaks_there(self):
        server = self.server({"enable": "protocol.rtmp, writer.mp4, naming.template, storage.local"})
        self.assertEqual(server.ports.keys(), {"http", "https", "rtmp"})

    def test_a_plugin_speaks_over_websockets_and_routes_of_its_own(self):
        folder = self.scratch / "plugins"
        folder.mkdir()
        shutil.copy(BUILD / "tests" / "plugins" / "good_socket.so", folder)
        server = self.server({"plugin_path": folder, "enable": "protocol.socket, writer.mp4, naming.template, storage.local"})
        callers = [WebSocket(server.ports["ws"], "/client/records/cam1"), WebSocket(server.ports["wss"], "/", tls=True)]
        for caller in callers:
            self.assertEqual(caller.status, 101)
            for text in ('{"message":"ping","data":[null]}', "ä" * 40_000):
                caller.send(text)
                self.assertEqual(caller.receive(), (1, text.encode()))
        status, headers, body = server.request("POST", "/whip/cam", "v=0", {"Content-Type": "application/sdp"})
        self.assertEqual((status, headers["location"], headers["content-type"], body),
                         (201, "/whip/cam/1", "application/sdp", b"v=0"))
        server.process.send_signal(signal.SIGTERM)
        for caller in callers:
            self.assertEqual(caller.receive(), (8, b"\x03\xe9the server is stopping"))
            caller.close()
        self.assertEqual(server.process.wait(30), 0)

    def test_metrics_count_what_was_recorded(self):
        server = self.server()
        server.publish(clips.both(), "counted")
        server.file("counted.mp4")
        self.assertTrue(any(name.startswith("tapedeck_") for name in server.metrics()))

    def test_a_record_folder_that_cannot_be_written_is_named_at_the_start(self):
        blocked = self.scratch / "blocked"
        blocked.write_text("a file where a folder should be")
        server = self.idle({"record_dir": str(blocked / "records")})
        self.refused(server, str(blocked / "records"))

    def test_what_the_sdp_leaves_out_is_refused(self):
        server = self.idle()
        self.addCleanup(server.end)
        audio_only = "v=0\nm=audio 0 RTP/AVP 103\na=rtpmap:103 mpeg4-generic/44100/1\na=sendonly\n"
        (server.home / "conf" / "flash_handler_publish.sdp").write_text(audio_only)
        server.start()
        server.publish(clips.audio(2), "talk")
        server.file("talk.mp4")
        publisher = server.publishing(clips.video(), "film", realtime=False)
        publisher.wait(60)
        server.logged("protocol.rtmp.publish_sdp")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual([f.name for f in server.files()], ["talk.mp4"])

    def test_the_reference_is_the_one_that_the_declarations_give(self):
        server = self.idle()
        result = server.run("--reference")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, (SOURCE / "conf" / "reference.md").read_text())

    def test_a_silent_publisher_is_replaced_and_a_live_one_is_not(self):
        server = self.server({"protocol.rtmp.replace_after": "1s"})
        first = server.publishing(clips.both(), "taken", loop=True)
        server.stream("taken")
        second = server.publishing(clips.both(), "taken")
        self.assertNotEqual(second.wait(30), 0)
        second.wait()
        os.kill(first.pid, signal.SIGSTOP)
        try:
            def comes_back():
                server.publish(clips.audio(2), "taken")
                return True

            def tried():
                try:
                    return comes_back()
                except AssertionError:
                    return False
            eventually(tried, "the name is free again", 20)
        finally:
            first.kill()
            first.wait()

    def test_a_plugin_enabled_at_sighup_works_while_recordings_run_on(self):
        server = self.server({"enable": "protocol.rtmp, writer.mp4, naming.template, storage.local"})
        clip = clips.both(12)
        publisher = server.publishing(clip, "before")
        server.stream("before")
        server.configure(enable="protocol.rtmp, writer.mp4, naming.template, storage.local, hook.script")
        server.reload()
        server.logged("reading the settings again")
        server.publish(clips.audio(2), "after")
        server.hooked(1)
        publisher.wait(60)
        server.hooked(2)
        self.assertEqual(media.hashes(server.file("before.mp4"), "video"), media.hashes(clip, "video"))

    def test_temporary_names_hold_nothing_that_a_client_chose(self):
        server = self.server()
        publisher = server.publishing(clips.both(), "evil ../name", loop=True)
        part, = eventually(server.parts, "the temporary file")
        self.assertRegex(part.name, r"^[0-9a-f-]{36}-\d+\.part\.mp4$")


class Install(FlowTest):
    def test_cmake_install_lays_out_a_home_that_starts(self):
        from case import BUILD
        home = self.scratch / "installed"
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(home), "--component", "home"], check=True,
                       capture_output=True)
        for folder in ("bin", "conf", "lib/tapedeck/plugins", "records", "multirecords", "logs", "tools", "client2"):
            self.assertTrue((home / folder).is_dir(), folder)
        (home / "conf" / "flashphoner.properties").write_text("# mine\n")
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(home), "--component", "home"], check=True,
                       capture_output=True)
        self.assertEqual((home / "conf" / "flashphoner.properties").read_text(), "# mine\n")
        self.assertTrue((home / "conf" / "flashphoner.properties.new").exists())
        checked = subprocess.run([home / "bin" / "tapedeck", "--home", home, "--check-config"], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    run()
