// Offers as clients send them; keys and addresses are invented.
#pragma once

#include <string>

namespace tapedeck::webrtc {

inline const std::string fingerprint_text =
    "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

inline std::string session_level(const std::string& bundle = "0 1") {
    return "v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " + bundle +
           "\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS s1\r\n";
}

inline std::string transport_lines(const std::string& fingerprint = fingerprint_text) {
    return "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:cLnt\r\na=ice-pwd:0123456789abcdefghijklmn\r\n"
           "a=ice-options:trickle\r\na=fingerprint:" +
           fingerprint + "\r\na=setup:actpass\r\n";
}

/// Chromium's audio m-line.
inline std::string audio_line(const std::string& direction, const std::string& fingerprint = fingerprint_text) {
    return "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n" + transport_lines(fingerprint) +
           "a=mid:0\r\n"
           "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
           "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
           "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
           "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=" +
           direction +
           "\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
           "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
           "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
           "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n";
}

inline std::string feedback_lines(const std::string& payload_type) {
    std::string lines;
    for (const auto* one : {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"})
        lines += "a=rtcp-fb:" + payload_type + " " + one + "\r\n";
    return lines;
}

/// Chromium's video m-line: VP8 96, H264 102 (mode 1) and 104 (mode 0), each with rtx.
inline std::string video_line(const std::string& direction, const std::string& fingerprint = fingerprint_text) {
    return "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 45 46\r\n" + transport_lines(fingerprint) +
           "a=mid:1\r\n"
           "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n"
           "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
           "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
           "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=" +
           direction + "\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\n" + feedback_lines("96") +
           "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\n" + feedback_lines("102") +
           "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
           "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:104 H264/90000\r\n" +
           feedback_lines("104") +
           "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f\r\n"
           "a=rtpmap:105 rtx/90000\r\na=fmtp:105 apt=104\r\na=rtpmap:45 AV1/90000\r\na=rtpmap:46 rtx/90000\r\n"
           "a=fmtp:46 apt=45\r\n";
}

/// Chromium's line of data channels.
inline std::string data_line(const std::string& fingerprint = fingerprint_text) {
    return "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + transport_lines(fingerprint) +
           "a=mid:2\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
}

inline std::string offer_of(const std::string& direction, const std::string& fingerprint = fingerprint_text) {
    return session_level() + audio_line(direction, fingerprint) + video_line(direction, fingerprint);
}

}  // namespace tapedeck::webrtc
