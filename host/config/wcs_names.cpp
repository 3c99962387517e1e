#include "config/wcs_names.hpp"

namespace tapedeck::host {

const std::set<std::string, std::less<>>& wcs_names() {
    static const std::set<std::string, std::less<>> names{
        // The recording chapter.
        "encode_record_name", "exclude_record_name_characters", "file_recorder_error_interval",
        "file_recorder_max_errors_per_interval", "file_recorder_min_space", "file_recorder_thread_pool_max_size",
        "mp4_container_moov_first", "mp4_container_moov_first_reserve_space", "mp4_container_moov_reserved_space_size",
        "mp4_cutter_dir", "multi_record_dir", "multi_recorder_mkv_fill_gaps", "on_multiple_record_hook_script",
        "on_record_hook_script", "periodic_fir_request", "record_audio_buffer_max_size", "record_audio_codec_channels",
        "record_audio_codec_sample_rate", "record_dir", "record_fdk_aac_bitrate_mode", "record_flash_published_streams",
        "record_formats", "record_h264_to_ts", "record_response_content_disposition_header_value", "record_rotation",
        "record_rotation_index_enabled", "record_rtsp_streams", "record_stop_timeout", "record_streams",
        "record_tmp_dir", "stream_record_policy_template", "webm_cluster_duration_limit", "webm_cluster_size_limit",
        "webm_java_writer_enable", "webrtc_pre_init",
        // Its neighbours.
        "auto_login_url", "balance_header", "call_record_listener", "client_log_level", "client_mode", "codecs",
        "codecs_exclude_sip", "codecs_exclude_sip_rtmp", "codecs_exclude_streaming", "cost_header",
        "disable_rest_requests", "domain", "dtmf", "enable_extended_logging", "get_callee_url", "http.port",
        "https.port", "ip", "ip_local", "keep_alive_streaming_sessions_enabled", "media_port_from", "media_port_to",
        "outbound_port", "outbound_proxy", "port_from", "port_to", "record_mixer_streams", "rest_max_connections",
        "rtmfp.port", "rtmp.port", "rtmps.port", "rtp_activity_detecting", "rtp_receive_buffer_size",
        "rtp_send_buffer_size", "rtsp.port", "sip_msg_listener", "stream_record_policy", "user_agent", "video_enabled",
        "ws.port", "wss.cert.password", "wss.keystore.password", "wss.port"};
    return names;
}

}  // namespace tapedeck::host
