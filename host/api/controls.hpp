// What the HTTP interface asks of the rest of the server. Implemented by the parts that own streams and recordings.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/message.hpp"
#include "base/error.hpp"

namespace tapedeck::host::api {

/// Null: done. Otherwise why not; TD_NOT_FOUND becomes 404, TD_EXISTS 409, TD_DENIED 403, TD_MALFORMED 400,
/// TD_CANCELLED 503, everything else 500. Called once, from any thread, also from inside the call.
using Done = std::function<void(const Error* failure)>;

/// `/rest-api/recorder` (R67-R81). Called on any thread, concurrently; every call returns at once.
class RecorderControl {
public:
    virtual ~RecorderControl() = default;

    /// The scalar members of `config` as texts, under the names that the client sent (`fileTemplate`, `rotation`, any
    /// setting of a recording). Names that nobody knows are to be ignored.
    using Settings = std::map<std::string, std::string>;

    /// Ends the running recording of this stream, then begins a new one (R72). TD_NOT_FOUND when the session is not
    /// known or its stream is not PUBLISHING (R67, R74).
    virtual void start(const std::string& media_session, const Settings& settings, Done done) = 0;

    /// TD_NOT_FOUND when the session is not being recorded. `done` comes when the recording is closed, or
    /// record_stop_timeout passed (R76).
    virtual void stop(const std::string& media_session, Done done) = 0;

    struct Running {
        std::string file_name;  ///< as far as it is known, gaps left as `{endTime}`, without folder (R81)
        std::string media_session;
    };
    /// What is being recorded now, in order of start.
    virtual std::vector<Running> running() = 0;
};

/// One stream as REST shows it (wcs-compat section 4). Members not listed are sent with WCS' constant values.
struct StreamObject {
    std::string media_session, name, session;
    std::string node;  ///< this server, `<id>@<address>`
    std::string application = "defaultApp";
    std::string provider;               ///< `WebRTC`, `RTSP`, `Flash`, `MPEG-TS`
    std::string status = "PUBLISHING";  ///< PENDING, PUBLISHING, PLAYING, ...
    std::string audio_codec, video_codec;
    bool published = true;  ///< false: played
    bool has_audio = false, has_video = false;
    bool audio_muted = false, video_muted = false;
    bool record = false;  ///< is being recorded now
    std::uint32_t width = 0, height = 0;
    std::int64_t bitrate = 0, audio_bitrate = 0, fps = 0, gop = 0;
    std::int64_t create_date_ms = 0;  ///< UNIX time
    std::string transport = "TCP";
    std::string info;             ///< sent when not empty
    boost::json::object metrics;  ///< sent when it was asked for
};

/// `/rest-api/stream`. Called on any thread, concurrently; every call returns at once.
class StreamDirectory {
public:
    virtual ~StreamDirectory() = default;
    /// All streams, published and played. The API filters.
    virtual std::vector<StreamObject> streams() = 0;
    /// Begins to end the stream with this media session; the client gets `reason`. False: it is gone already.
    virtual bool terminate(const std::string& media_session, std::string_view reason) = 0;
};

/// `/client/records/`: where the files lie.
class RecordFiles {
public:
    enum class State { Missing, Running, Ready };
    struct Located {
        State state = State::Missing;
        std::filesystem::path path;        ///< absolute; empty where nothing is written yet
        std::shared_ptr<const void> hold;  ///< of Running: while it lives, what is written keeps its place in the file
        std::string version = {};          ///< of Running: another one after something was moved in the file
    };
    virtual ~RecordFiles() = default;
    /// `name` is relative, has no empty, `.` or `..` component and no NUL; folders are separated by `/`. Called on a
    /// pool thread, may look at the disk. Running: a recording of this name is still being written.
    virtual Located locate(const std::string& name) = 0;
    /// Where a record of this name lies if it is Ready; empty: none of this name ever is. Any thread; does not look at
    /// the disk.
    virtual std::filesystem::path place_of(const std::string& name) const = 0;
};

/// `?start=&end=` of `/client/records/` (R93-R99): parts of records as files of their own, and records that are still
/// written as files that are whole.
class RecordCuts {
public:
    /// From when to when, in microseconds of the record.
    struct Times {
        std::optional<std::int64_t> from_us, to_us;
    };
    /// Where the part lies, or why there is none: TD_MALFORMED when the record has no such part, TD_NOT_FOUND when
    /// there is no such record. Called once, on a pool thread, where it may look at the disk.
    using Done = std::function<void(const std::filesystem::path* part, const Error* failure)>;

    virtual ~RecordCuts() = default;
    /// Whether files of this name can be cut; of others the whole file is the answer (R97). Any thread.
    virtual bool can_cut(std::string_view name) const = 0;
    /// Which setting lets files of this name be cut that are not; empty: none does. Any thread.
    virtual std::string setting_for(std::string_view name) const = 0;
    /// The part of `source`, made now or found from before. `name` is the record's, as `RecordFiles::locate` got it.
    /// Called on a pool thread, looks at the disk; the part is made on another.
    virtual void cut(const std::filesystem::path& source, const std::string& name, const Times& times, Done done) = 0;

    struct Kept {
        std::filesystem::path path;
        std::shared_ptr<const OpenFile> file;
    };
    /// The same part where it was made before and that can be told without waiting for a disk; else nothing, and `cut`
    /// knows. Any thread.
    virtual std::optional<Kept> kept(const std::filesystem::path& source, const std::string& name,
                                     const Times& times) = 0;

    /// A record as far as it is written, or a part of that, as a whole file: an index in memory and the media where it
    /// lies in the record, which is not copied.
    struct Snapshot {
        FileParts files;
        std::string etag;
        std::time_t made = 0;
    };
    /// Who asks, as far as it is known, and whether for the rest of what it got before.
    struct Viewer {
        std::string client;
        bool goes_on = false;
    };
    using SnapshotDone = std::function<void(const Snapshot* snapshot, const Error* failure)>;
    /// Of a Running record, with the hold of it; both times may be missing. A viewer that goes on gets what it got
    /// before. As `cut`.
    virtual void snapshot(const RecordFiles::Located& source, const std::string& name, const Times& times,
                          const Viewer& viewer, SnapshotDone done) = 0;
};

/// `/health` and the counters of `/?action=stat`.
class Health {
public:
    virtual ~Health() = default;
    /// Whether everything listens; until then /health answers 503. Any thread.
    virtual bool ready() = 0;
    /// `ports`, `plugins`, ...; `version` and `status` are added by the API. Any thread.
    virtual boost::json::object report() = 0;
};

}  // namespace tapedeck::host::api
