"""Sessions of the WebSDK that count signs of life (`receiveProbes`): a minute of pings keeps them, silence ends them."""
import json

import browser
from case import FlowTest, run


class KeepAlive(FlowTest):
    def status_after(self, seconds, settings):
        server = self.server(settings)
        seen = browser.see(self, "websdk_keep_alive.js", f"http://127.0.0.1:{server.http_port}", f"ws://127.0.0.1:{server.ports['ws']}",
                           str(seconds), json.dumps({"receiveProbes": 5, "probesInterval": 3000}))
        self.assertEqual(seen["errors"], [])
        return seen["status"]

    def test_pings_keep_a_session_for_a_minute(self):
        self.assertEqual(self.status_after(60, {}), "ESTABLISHED")

    def test_without_pings_it_fails(self):
        self.assertEqual(self.status_after(20, {"protocol.webrtc.ping_interval": "60s"}), "FAILED")


if __name__ == "__main__":
    run()
