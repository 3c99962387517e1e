// A writer of one file, held by the host: the methods of td_writer with exceptions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made for one file: `open` or `recover`, then the packets, then `finish`. Failures are Error("writer mp4: write:
/// ...") with the plugin's status. Not thread-safe; one call at a time on any thread ([stream]; finish and recover
/// [blocking]).
class Writer {
public:
    explicit Writer(const Extension& extension);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    const Extension& extension() const { return extension_; }

    /// An empty file, which must outlive this object.
    void open(td_file& file, const td_recording& recording, std::span<const td_track* const> tracks);
    /// A late track or new parameters of one. False: the writer cannot, the host starts a new file.
    bool track(const td_track& track);
    void write(const td_packet& packet);
    void flush();
    void finish();

    struct Recovered {
        std::string memo;          ///< td_recording.memo as `open` got it; empty: none found
        std::int64_t duration_us;  ///< TD_NO_TIME: not known
        std::uint64_t packets;     ///< 0: nothing to keep, do not call finish
    };
    /// Instead of `open`: a file torn anywhere. Nothing when the writer cannot recover at all.
    std::optional<Recovered> recover(td_file& file, const td_recording& recording);

private:
    const Extension& extension_;
    const td_writer* table_;
    void* self_ = nullptr;
};

/// Constant facts of a writer, known without making one.
struct WriterFacts {
    explicit WriterFacts(const Extension& extension);

    std::string extension;  ///< of its files, without the dot
    std::string mime;
    std::span<const std::uint32_t> codecs;  ///< in order of preference; TD_CODEC_ANY: whatever comes
    bool recovers;

    bool takes(std::uint32_t codec) const;
};

}  // namespace tapedeck::host
