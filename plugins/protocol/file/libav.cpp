#include "libav.hpp"

#include <string>

#include "tapedeck/late_library.hpp"

namespace tapedeck::file_source {

namespace {

LibAv load() {
    const LateLibrary library("libavformat.so." + std::to_string(LIBAVFORMAT_VERSION_MAJOR));
    LibAv all{};
    library.bind("avformat_open_input", all.avformat_open_input);
    library.bind("avformat_find_stream_info", all.avformat_find_stream_info);
    library.bind("avformat_close_input", all.avformat_close_input);
    library.bind("avcodec_get_name", all.avcodec_get_name);
    library.bind("av_read_frame", all.av_read_frame);
    library.bind("av_packet_alloc", all.av_packet_alloc);
    library.bind("av_packet_unref", all.av_packet_unref);
    library.bind("av_packet_free", all.av_packet_free);
    library.bind("av_strerror", all.av_strerror);
    library.bind("av_log_set_level", all.av_log_set_level);
    all.av_log_set_level(AV_LOG_QUIET);  // what matters comes as an error; nothing here writes to the console
    return all;
}

}  // namespace

const LibAv& libav() {
    static const LibAv only = load();
    return only;
}

}  // namespace tapedeck::file_source
