/* The binary contract between the tapedeck host and its plugins: C11, no library, no padding.
 *
 * Promises that hold for everything below
 *  - Growth: a struct that may grow starts with `size`, set by whoever fills it. Members are only appended; read one
 *    only when `size` covers it. Null function pointers mean "not offered". Arrays of growing structs are arrays of
 *    pointers.
 *  - Memory: the caller owns every argument, for the call only. Results go into memory of the caller. Packet payloads
 *    are counted buffers of the host. Nobody frees what the other side allocated.
 *  - Errors: functions that can fail return a td_status and, when it is negative, fill the caller's td_error. No
 *    exception ever crosses the boundary.
 *  - Texts are UTF-8 with a length, without a terminating NUL unless declared `const char*`.
 *  - Threads, said of every function:
 *      [control]   one call at a time per plugin; must return within 10 s
 *      [stream]    one call at a time per object, on any thread; never waits for anything
 *      [blocking]  a pool thread; may wait, until its deadline (see td_host.cancelled)
 *      [callback]  a host thread; return at once; post, do not call back from inside
 *      [any]       any thread, concurrently; returns at once; answers never come from inside the call
 *    Neither side calls the other while it holds a lock. */
#ifndef TAPEDECK_ABI_H
#define TAPEDECK_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before 1.0 nothing is additive: host and plugin must have the same major and minor. */
#define TD_SDK_MAJOR 0
#define TD_SDK_MINOR 1
/* The oldest host minor that a plugin accepts; a plugin that uses newer members raises it. */
#ifndef TD_SDK_TARGET_MINOR
#define TD_SDK_TARGET_MINOR TD_SDK_MINOR
#endif

#define TD_NO_TIME INT64_MIN /* a time that is not known */

typedef int32_t td_status;
enum {
    TD_OK = 0,
    TD_DEFAULT = 1,      /* not an error: the setting was not given, its default was returned */
    TD_AGAIN = 2,        /* not an error: nothing now, come back */
    TD_FAILED = -1,      /* anything without a code of its own; the text says what */
    TD_DENIED = -2,      /* admission refused, access denied */
    TD_EXISTS = -3,      /* the name or key is taken */
    TD_NOT_FOUND = -4,   /* no such thing */
    TD_UNSUPPORTED = -5, /* not offered here; the caller takes its next way */
    TD_NO_SPACE = -6,    /* the disk is full */
    TD_CANCELLED = -7,   /* the host asked to stop */
    TD_MALFORMED = -8,   /* input breaks its format's rules */
    TD_TIMEOUT = -9,     /* a deadline passed */
    TD_NO_MEMORY = -10   /* allocation failed */
};

/* Allocated by the caller of any function that can fail; filled when the status is negative. */
typedef struct td_error {
    uint32_t size;
    td_status status;
    uint32_t retryable; /* 1: the same call may succeed later */
    char text[244];     /* NUL-terminated, cut to fit: the thing, the value, the way out */
} td_error;

typedef struct td_text {
    const char* data;
    size_t size;
} td_text;

typedef struct td_bytes {
    const uint8_t* data;
    size_t size;
} td_bytes;

typedef struct td_attribute {
    td_text key;
    td_text value;
} td_attribute;

/* One plugin instance as the host sees it: its kind, id, settings and log prefix. Valid from `create` to `destroy`. */
typedef struct td_context td_context;
/* Settings of one recording laid over the plugin's own; null where there are none. */
typedef struct td_options td_options;

/* A counted block of host memory. `data` and `capacity` never change; the count is the host's. */
typedef struct td_buffer {
    uint8_t* data;
    size_t capacity;
} td_buffer;

/* ------------------------------------------------------------------------------------------------ media ---- */

#ifdef __cplusplus
#define TD_CODEC_BYTE(c) static_cast<uint32_t>(static_cast<uint8_t>(c))
#else
#define TD_CODEC_BYTE(c) ((uint32_t)(uint8_t)(c))
#endif
#define TD_CODEC(a, b, c, d) \
    (TD_CODEC_BYTE(a) << 24 | TD_CODEC_BYTE(b) << 16 | TD_CODEC_BYTE(c) << 8 | TD_CODEC_BYTE(d))

#define TD_CODEC_ANY 0u /* in a writer's list: whatever comes */
/* Canonical forms; there is one per codec, so any ingest meets any writer. `config` is the track's decoder setup.
 *   H264, H265  access units of NAL units, each after its 4-byte length; config avcC / hvcC (ISO/IEC 14496-15)
 *   VP8 VP9 AV1 frames, temporal units; no config, vpcC, av1C
 *   AAC         raw_data_block without ADTS; config AudioSpecificConfig (ISO/IEC 14496-3)
 *   OPUS        packets; config OpusHead (RFC 7845 section 5.1)
 *   PCMA PCMU G722 SPEEX  payload as on the wire; G722 has time_base 1/8000 and sample_rate 16000
 *   MP2 MP3 AC3 frames with their headers
 *   TEXT        messages in UTF-8 (TD_DATA); shown: a writer gets a duration that may reach beyond the end */
#define TD_CODEC_H264 TD_CODEC('a', 'v', 'c', '1')
#define TD_CODEC_H265 TD_CODEC('h', 'v', 'c', '1')
#define TD_CODEC_VP8 TD_CODEC('v', 'p', '0', '8')
#define TD_CODEC_VP9 TD_CODEC('v', 'p', '0', '9')
#define TD_CODEC_AV1 TD_CODEC('a', 'v', '0', '1')
#define TD_CODEC_AAC TD_CODEC('m', 'p', '4', 'a')
#define TD_CODEC_OPUS TD_CODEC('O', 'p', 'u', 's')
#define TD_CODEC_PCMA TD_CODEC('a', 'l', 'a', 'w')
#define TD_CODEC_PCMU TD_CODEC('u', 'l', 'a', 'w')
#define TD_CODEC_G722 TD_CODEC('g', '7', '2', '2')
#define TD_CODEC_SPEEX TD_CODEC('s', 'p', 'x', ' ')
#define TD_CODEC_MP3 TD_CODEC('.', 'm', 'p', '3')
#define TD_CODEC_MP2 TD_CODEC('.', 'm', 'p', '2')
#define TD_CODEC_AC3 TD_CODEC('a', 'c', '-', '3')
#define TD_CODEC_TEXT TD_CODEC('t', 'e', 'x', 't')

enum { TD_VIDEO = 1, TD_AUDIO = 2, TD_DATA = 3 }; /* td_track.kind */

typedef struct td_rational {
    int32_t num;
    int32_t den;
} td_rational;

/* One elementary stream. Announced before its first packet and again when its parameters change. */
typedef struct td_track {
    uint32_t size;
    uint32_t index; /* the number that its packets carry; starts at 0, unique in the stream */
    uint32_t kind;
    uint32_t codec;
    td_rational time_base;          /* seconds of one tick of pts, dts and duration */
    uint32_t clock;                 /* tracks of equal number share one time line (RTMP, TS: all of a stream) */
    uint32_t width, height;         /* video, pixels as coded in the config; 0: not known */
    uint32_t sample_rate, channels; /* audio; 0: not known */
    uint32_t reserved;
    td_bytes config;
    td_text language; /* BCP 47 or empty */
    td_text label;    /* shown to people, or empty */
} td_track;

enum {
    TD_PACKET_KEY = 1u,           /* decoding can start here (video); every audio packet is one */
    TD_PACKET_DISCONTINUITY = 2u, /* something is missing before it: a picture is of no use up to the next key */
    TD_PACKET_CONFIG_CHANGED = 4u /* `changed` holds the track as it is from this packet on */
};

/* One access unit or audio frame. Times are in the track's time_base, 64 bit, and never wrap. */
typedef struct td_packet {
    uint32_t size;
    uint32_t track;
    uint32_t flags;
    uint32_t data_size;
    int64_t pts;
    int64_t dts;          /* TD_NO_TIME: not known; the recorder derives it */
    int64_t duration;     /* TD_NO_TIME at ingest; always set towards a writer */
    int64_t wallclock_us; /* capture time by the sender's clock (RTCP SR), UNIX microseconds, or TD_NO_TIME */
    const uint8_t* data;  /* lies anywhere inside `buffer` */
    td_buffer* buffer;    /* keep with buffer_ref, give back with buffer_unref */
    const td_track* changed;
} td_packet;

/* Who publishes, plays or connects. */
typedef struct td_stream_info {
    uint32_t size;
    uint32_t expects;      /* bits 1 << TD_VIDEO ..., the tracks that will come; 0: not known */
    uint32_t record;       /* TD_RECORD_* */
    uint32_t flags;        /* TD_STREAM_* */
    td_text name;          /* as the client gave it: any bytes */
    td_text protocol;      /* the plugin's id */
    td_text media_session; /* empty: the host makes a UUID */
    td_text session;
    td_text login; /* empty: a random one, as WCS shows */
    td_text application;
    td_text remote;                 /* address:port */
    const td_attribute* attributes; /* free; `password` and `token` are credentials, never shown or logged */
    size_t attribute_count; /* `arrival` = `wallclock`: wallclock_us is when a packet would have come, of a file, say */
    const uint32_t* codecs; /* a viewer's: what it can take, the best first; none: everything. Sound is converted */
    size_t codec_count;
    int64_t delay_us; /* a viewer's: it is told of packets this late, in larger batches; 0: at once */
} td_stream_info;

enum { TD_STREAM_KEYS_ON_REQUEST = 1u }; /* a publisher's: its source makes a key frame soon after `request_key` */

enum { TD_RECORD_BY_RULES = 0, TD_RECORD_YES = 1, TD_RECORD_NO = 2 }; /* td_stream_info.record */

enum {
    TD_RECORDING_FINAL = 1u,     /* all members are known */
    TD_RECORDING_RECOVERED = 2u, /* made whole after a crash */
    TD_RECORDING_MULTI = 4u      /* several streams in one file */
};

/* One file of one recording. What is not known yet is TD_NO_TIME or empty. */
typedef struct td_recording {
    uint32_t size;
    uint32_t flags;
    uint32_t segment; /* 1, 2, ... with rotation; 0: one file */
    uint32_t reserved;
    td_text stream, protocol, media_session, session, login;
    td_text extension;                /* without the dot */
    td_text video_codec, audio_codec; /* `H264`, `VP8`, `AAC`, ...; empty: no such track */
    td_text name;                     /* relative to the storage, with folders and extension */
    td_text path;                     /* absolute, where the file lies now */
    td_text uri;                      /* after a storage took it */
    td_text memo;                     /* the host's own note of all facts; a writer keeps it in the file, see recover */
    int64_t start_us, end_us;         /* server clock, UNIX microseconds */
    int64_t media_start_us, media_end_us; /* by the frames' own times (R31, R32), microseconds */
    int64_t duration_us;
    uint64_t bytes;
    const td_options* options;
} td_recording;

/* ---------------------------------------------------------------------------------- what the host offers ---- */

enum { TD_LOG_DEBUG = 0, TD_LOG_INFO = 1, TD_LOG_WARNING = 2, TD_LOG_ERROR = 3 };

typedef struct td_host {
    uint32_t size;
    uint32_t sdk_major, sdk_minor;
    uint32_t reserved;
    /* [any] One line; the host adds time, plugin and instance. */
    void (*log)(const td_context*, int32_t level, td_text line);
    /* [any] A declared setting, checked and converted: TD_INTEGER, TD_BOOLEAN, TD_SIZE (bytes), TD_DURATION
     * (microseconds). TD_DEFAULT where nobody set it. `key` is the short name. Texts stay valid for ever. */
    td_status (*option_int)(const td_context*, const td_options*, td_text key, int64_t* value);
    td_status (*option_text)(const td_context*, const td_options*, td_text key, td_text* value);
    /* [any] Null when memory is short. */
    td_buffer* (*buffer_new)(size_t capacity);
    void (*buffer_ref)(td_buffer*);
    void (*buffer_unref)(td_buffer*);
    /* [any] 1 when the [blocking] call that runs on this thread should give up: its deadline passed, the host stops. */
    int32_t (*cancelled)(const td_context*);
    /* [any] A table such as `tapedeck.streams/1`, or null where the host has none. */
    const void* (*service)(const td_context*, td_text id);
    /* [control] A protocol tells where it listens; shown at /health under `name`. */
    void (*listening)(const td_context*, td_text name, uint16_t port);
} td_host;

/* Where tracks and packets go: a published stream, or what comes out of a transform. */
typedef struct td_sink {
    const struct td_sink_table* table;
} td_sink;

typedef struct td_sink_table {
    uint32_t size;
    uint32_t reserved;
    /* [stream] New track, or new parameters of a known one. */
    td_status (*track)(td_sink*, const td_track*, td_error*);
    /* [stream] One batch; the payloads are referenced, not copied. TD_CANCELLED after a kick. TD_AGAIN: taken, but the
     * source runs ahead of real time and its recordings are behind: give nothing more for now, and ask with an empty
     * batch every few milliseconds until the answer is TD_OK. A live source is never asked that. */
    td_status (*packets)(td_sink*, const td_packet* const*, size_t count, td_error*);
    /* [stream] What REST shows of the stream: `muted`, `title`, ... */
    void (*set)(td_sink*, td_text key, td_text value);
    /* [stream] The end; the sink must not be used after it. The reason is shown and logged. */
    void (*close)(td_sink*, td_text reason);
} td_sink_table;

#define TD_STREAMS "tapedeck.streams/1"

/* What a publisher is told. All [callback], each with the `self` given to `publish`. */
typedef struct td_publisher {
    uint32_t size;
    uint32_t reserved;
    /* Once: the sink, or null and why not (TD_DENIED, TD_EXISTS, TD_CANCELLED). */
    void (*opened)(void* self, td_sink*, const td_error*);
    /* Somebody needs a key frame of this track soon. */
    void (*request_key)(void* self, uint32_t track);
    /* The smallest delay that anybody wants; until told otherwise TD_RECORD_DELAY_US. */
    void (*demand)(void* self, int64_t delay_us);
    /* End it; the client gets the reason. */
    void (*kick)(void* self, td_text reason);
    /* Once, always, and the last use of `self`: the stream's recordings have their names, or record_stop_timeout
     * passed. Null when nothing was recorded or the stream never opened. */
    void (*released)(void* self, const td_recording*);
} td_publisher;

#define TD_RECORD_DELAY_US 500000 /* a stream that is only recorded may arrive this late */

/* A viewer's end of a stream. */
typedef struct td_subscription {
    const struct td_subscription_table* table;
} td_subscription;

typedef struct td_subscription_table {
    uint32_t size;
    uint32_t reserved;
    /* [stream] Everything that has come since the last read, in order; the number of packets. The batch, payloads and
     * `changed` with it, is valid until the next read or close; `changed` is set where a track is new or has new
     * parameters. A viewer that reads too slowly loses packets up to the next key packet, which then carries
     * TD_PACKET_DISCONTINUITY. */
    size_t (*read)(td_subscription*, const td_packet* const** batch);
    /* [any] before `close`. The viewer needs a key frame of this track. The publisher is asked once in 0.5 s for all
     * viewers together. */
    void (*request_key)(td_subscription*, uint32_t track);
    /* [stream] The end; needed after `ended` too. The subscription must not be used after it. */
    void (*close)(td_subscription*);
} td_subscription_table;

/* What a viewer is told; each with the `self` given to `subscribe`. All [callback] and, but for `ready`, in this order
 * on one thread. */
typedef struct td_subscriber {
    uint32_t size;
    uint32_t reserved;
    /* Once: the subscription, or null and why not (TD_DENIED, TD_NOT_FOUND, TD_EXISTS, TD_UNSUPPORTED, TD_CANCELLED).
     */
    void (*opened)(void* self, td_subscription*, const td_error*);
    /* Something waits to be read: once, until the next read. Comes on the thread that brings it, also at the same time
     * as `ended`. */
    void (*ready)(void* self);
    /* At most once: the publisher has left or somebody ended the viewer; the client gets the reason. Nothing more comes
     * after what can still be read. */
    void (*ended)(void* self, td_text reason);
    /* Once, always, and the last use of `self`: after `close` or a refusal. */
    void (*released)(void* self);
} td_subscriber;

enum { TD_CONNECT = 1, TD_PUBLISH = 2, TD_PLAY = 3 }; /* what is to be admitted */

typedef struct td_streams {
    uint32_t size;
    uint32_t reserved;
    /* [any] Asks access rules and hooks; `done` comes once with null for yes. */
    void (*admit)(const td_context*, int32_t action, const td_stream_info*, void (*done)(void* self, const td_error*),
                  void* self);
    /* [any] Answers through `opened`, once admission and name checks are through. */
    void (*publish)(const td_context*, const td_stream_info*, const td_publisher*, void* self);
    /* [any] Plays the stream of this name. Answers through `opened`, as `publish`. */
    void (*subscribe)(const td_context*, const td_stream_info*, const td_subscriber*, void* self);
    /* [any] Whether somebody publishes under this name: TD_OK, TD_AGAIN (nothing has come yet), TD_NOT_FOUND. */
    td_status (*find)(const td_context*, td_text name);
} td_streams;

#define TD_HTTP "tapedeck.http/1"

/* What a client asks; all of it is untrusted. */
typedef struct td_http_request {
    uint32_t size;
    uint32_t secure;                           /* 1: it came over TLS */
    td_text method, path, query, remote, body; /* path and query still encoded; remote is an address without port */
    const td_attribute* headers;               /* names in lower case, each once; `authorization` is never logged */
    size_t header_count;
} td_http_request;

typedef struct td_http_answer {
    uint32_t size;
    int32_t status;              /* 200 to 599 */
    td_text content_type, body;  /* from 400 on without a type, the body is the reason in words: see respond */
    const td_attribute* headers; /* `Location`, `ETag`, `Link`, ...; lengths, dates and CORS are the host's */
    size_t header_count;
} td_http_answer;

/* One request that waits for its answer. */
typedef struct td_http_exchange td_http_exchange;

/* One WebSocket (RFC 6455): the plugin's from `opened`, also where that refuses, until it calls `hang_up`. */
typedef struct td_websocket td_websocket;

/* All [callback], one at a time per WebSocket; `send` and `hang_up` may be called from inside. */
typedef struct td_websocket_handlers {
    uint32_t size;
    uint32_t reserved;
    /* A client comes; the request has no body. TD_OK takes it, with `*client` for the calls below; a failure refuses it
     * with the reason (TD_DENIED: 403, TD_NOT_FOUND: 404, ...), and nothing else is called. */
    td_status (*opened)(void* self, const td_http_request*, td_websocket*, void** client, td_error*);
    /* One whole text message. */
    void (*message)(void* client, td_text);
    /* Once, always, and the last use of `client`. The reason is for the log. */
    void (*closed)(void* client, td_text reason);
} td_websocket_handlers;

enum { TD_WEBSOCKET_NORMAL = 1000, TD_WEBSOCKET_POLICY = 1008, TD_WEBSOCKET_FAILED = 1011 }; /* for hang_up */

#define TD_WEBSOCKET_QUEUE 1048576 /* bytes that may wait for a client; beyond, it is too slow and closed */

typedef struct td_http {
    uint32_t size;
    uint32_t reserved;
    /* [control] From `create` to `stop`. A path is exact, or a prefix with the tail `/` and `*`; the longest wins.
     * Paths under /rest-api have the host's access rules; all others are open to everybody. Requests from other origins
     * are allowed, and OPTIONS is answered where no route does. The handler is a [callback]; it, or somebody later,
     * answers once by `respond`. */
    td_status (*route)(const td_context*, td_text method, td_text path,
                       void (*handler)(void* self, const td_http_request*, td_http_exchange*), void* self, td_error*);
    /* [any] From 400 on without a type, the host makes its usual error body of the reason. */
    void (*respond)(td_http_exchange*, const td_http_answer*);
    /* [control] As `route`, for WebSockets, of any origin. They come on the ports ws.port and wss.port, which are open
     * where a plugin has such a route, and on the HTTP ports. Handlers and `self` live until `stop` returned. */
    td_status (*websocket)(const td_context*, td_text path, const td_websocket_handlers*, void* self, td_error*);
    /* [any] Queues one text message, UTF-8; after the end it is dropped. See TD_WEBSOCKET_QUEUE. */
    void (*send)(td_websocket*, td_text message);
    /* [any] The last use of the td_websocket, also after `closed`. What was sent before still goes out. */
    void (*hang_up)(td_websocket*, int32_t code, td_text reason);
} td_http;

#define TD_METRICS "tapedeck.metrics/1"

/* Prometheus names and label sets such as `reason="disk"`; the same pair is the same metric. */
typedef struct td_metrics {
    uint32_t size;
    uint32_t reserved;
    /* [any] The counter or gauge lives for ever; changing it is one atomic operation. */
    void* (*counter)(td_text name, td_text labels, td_text help);
    void (*add)(void* counter, int64_t by);
    void* (*gauge)(td_text name, td_text labels, td_text help);
    void (*set)(void* gauge, int64_t value);
} td_metrics;

/* ---------------------------------------------------------------------------------------------- a file ---- */

/* A file being written or looked into. Positions are bytes from its start. */
typedef struct td_file {
    const struct td_file_table* table;
} td_file;

/* All [stream] or [blocking], as the call that has the file. Each may answer TD_UNSUPPORTED. */
typedef struct td_file_table {
    uint32_t size;
    uint32_t reserved;
    td_status (*write)(td_file*, uint64_t at, const td_bytes* spans, size_t count, td_error*);
    /* Reads up to `size` bytes; fewer only at the end of the file. */
    td_status (*read)(td_file*, uint64_t at, uint8_t* into, size_t size, size_t* got, td_error*);
    td_status (*length)(td_file*, uint64_t* bytes, td_error*);
    td_status (*truncate)(td_file*, uint64_t bytes, td_error*);
    /* Shifts what lies at and after `at` by `count`; both multiples of 4096. */
    td_status (*insert)(td_file*, uint64_t at, uint64_t count, td_error*);
    /* Copies from another file by the cheapest way that works: reflink, copy_file_range, sendfile. */
    td_status (*copy)(td_file*, uint64_t at, td_file* from, uint64_t from_at, uint64_t count, td_error*);
    /* What was written is on the disk afterwards. Only for the steps of finishing. */
    td_status (*sync)(td_file*, td_error*);
    /* An empty file that takes this one's place when `finish` succeeds, unless it is empty then; owned by this file. */
    td_status (*rewrite)(td_file*, td_file** fresh, td_error*);
} td_file_table;

/* --------------------------------------------------------------------------------------------- the kinds ---- */

#define TD_KIND_PROTOCOL "tapedeck.protocol/1"
#define TD_KIND_TRANSFORM "tapedeck.transform/1"
#define TD_KIND_WRITER "tapedeck.writer/1"
#define TD_KIND_READER "tapedeck.reader/1"
#define TD_KIND_NAMING "tapedeck.naming/1"
#define TD_KIND_STORAGE "tapedeck.storage/1"
#define TD_KIND_HOOK "tapedeck.hook/1"

/* Every `create` is [control], gives the instance in `self` and touches nothing outside: --check-config calls it too.
 * Every `destroy` is the last call. Writers, readers and transforms are made one per file or track. */

typedef struct td_protocol {
    uint32_t size;
    uint32_t reserved;
    td_status (*create)(const td_host*, const td_context*, void** self, td_error*);
    td_status (*start)(void* self, td_error*);  /* [control] listens, or starts its threads */
    td_status (*reload)(void* self, td_error*); /* [control] RELOAD settings or files may have changed; may be null */
    td_status (*stop)(void* self, td_error*);   /* [control] afterwards no thread of the plugin calls the host */
    void (*destroy)(void* self);
} td_protocol;

enum {
    TD_TRANSFORM_NO = 0,  /* cannot turn the track into this codec */
    TD_TRANSFORM_CAN = 1, /* can, where the track cannot be taken as it is */
    TD_TRANSFORM_MUST = 2 /* the track must pass through, also when it is of this codec already */
};

typedef struct td_transform {
    uint32_t size;
    uint32_t reserved;
    /* [any] TD_TRANSFORM_*, by the settings of this recording where options are given. */
    int32_t (*accepts)(const td_host*, const td_context*, const td_options*, const td_track* in, uint32_t codec);
    /* `wanted`: the codec; where its sample_rate and channels are not 0, the output joins a file whose track has these,
     * whatever the settings say. */
    td_status (*create)(const td_host*, const td_context*, const td_options*, const td_track* in,
                        const td_track* wanted, td_sink* out, void** self, td_error*);
    td_status (*push)(void* self, const td_packet*, td_error*); /* [stream] null: flush what is held back */
    void (*destroy)(void* self);
} td_transform;

typedef struct td_recovered {
    uint32_t size;
    uint32_t memo_size;  /* in: room in `memo`; out: the size of the memo found, 0 when there is none */
    char* memo;          /* the td_recording.memo that `open` was given */
    int64_t duration_us; /* TD_NO_TIME: not known */
    uint64_t packets;    /* whole packets found, of this writer's own only; 0: the file is quarantined, not finished */
} td_recovered;

typedef struct td_writer {
    uint32_t size;
    uint32_t codec_count;
    const char* extension; /* without the dot */
    const char* mime;
    const uint32_t* codecs; /* in order of preference */
    td_status (*create)(const td_host*, const td_context*, void** self, td_error*);
    /* [stream] An empty file. The writer sees rising dts per track, a duration in every packet and times from the
     * file's start; what lies before 0 is decoder pre-roll, written and hidden. */
    td_status (*open)(void* self, td_file*, const td_recording*, const td_track* const*, size_t count, td_error*);
    /* [stream] A late track, whose packets follow at their time, or new parameters of a known one. Null or
     * TD_UNSUPPORTED: the host starts a new file. Any other failure of a late track: the file goes on without it. */
    td_status (*track)(void* self, const td_track*, td_error*);
    /* [stream] On failure the packet is lost and the writer must take the next key packet all the same. */
    td_status (*write)(void* self, const td_packet*, td_error*);
    /* [stream] Each 0.5 s and before `finish`: all packets so far go to the file. */
    td_status (*flush)(void* self, td_error*);
    /* [blocking] Makes the file final and synced. Called again after a failure or a crash, it must end the same way. */
    td_status (*finish)(void* self, td_error*);
    /* [blocking] Instead of `open`: a file torn anywhere. Followed by `finish` when packets were found. May be null. */
    td_status (*recover)(void* self, td_file*, const td_recording*, td_recovered*, td_error*);
    void (*destroy)(void* self);
} td_writer;

enum { TD_CUT_EXACT = 1u };

typedef struct td_reader {
    uint32_t size;
    uint32_t reserved;
    const char* extension;
    td_status (*create)(const td_host*, const td_context*, td_file*, void** self, td_error*);
    /* [blocking] Writes the part from `from_us` to `to_us` (TD_NO_TIME: to the end) into an empty file, from its front
     * to its end: only what `write` wrote may be written again. EXACT: it begins with what is shown at `from_us`, where
     * the format can, not with the key frame before. TD_NOT_FOUND: the file has no such part; `to_us` may lie up to a
     * second behind its end. The file may still be written: what is whole of it counts. May be null. */
    td_status (*cut)(void* self, int64_t from_us, int64_t to_us, uint32_t flags, td_file* target, td_error*);
    /* [blocking] Writes what is known of the file as JSON. May be null. */
    td_status (*inspect)(void* self, td_file* json, td_error*);
    void (*destroy)(void* self);
} td_reader;

typedef struct td_naming {
    uint32_t size;
    uint32_t reserved;
    td_status (*create)(const td_host*, const td_context*, void** self, td_error*);
    /* [blocking] The stem of the file's name, `/` for folders, without number and extension. Without
     * TD_RECORDING_FINAL what is unknown stays a gap such as `{endTime}`. `*written` may exceed `room`: call again. */
    td_status (*name)(void* self, const td_recording*, char* into, size_t room, size_t* written, td_error*);
    void (*destroy)(void* self);
} td_naming;

enum { TD_PUT_REPLACE = 1u };

typedef struct td_storage {
    uint32_t size;
    uint32_t reserved;
    td_status (*create)(const td_host*, const td_context*, void** self, td_error*);
    /* [any] The local folder where its files lie, or TD_UNSUPPORTED; with null the folder for all. May be null. */
    td_status (*folder)(void* self, const td_recording*, char* into, size_t room, size_t* written, td_error*);
    /* [blocking] Takes the file at recording->path; may move it. Idempotent: the file gone and the key there means that
     * it was done before a crash. Without REPLACE a taken key is TD_EXISTS. `uri`: where it is now. */
    td_status (*put)(void* self, const td_recording*, td_text key, uint32_t flags, char* uri, size_t room,
                     size_t* written, td_error*);
    td_status (*remove)(void* self, td_text key, td_error*); /* [blocking] */
    void (*destroy)(void* self);
} td_storage;

enum {
    TD_RECORD_STARTED = 1, /* the first packet is written */
    TD_RECORD_STORED = 2,  /* final, named and in every storage */
    TD_RECORD_FAILED = 3   /* ended by errors or lack of space; a STORED follows if anything was kept */
};

typedef struct td_event {
    uint32_t size;
    int32_t kind;
    uint32_t attempt; /* 1, 2, ... */
    uint32_t reserved;
    td_text id; /* the same in every attempt */
    const td_recording* recording;
    td_text detail; /* why, for FAILED */
} td_event;

typedef struct td_hook {
    uint32_t size;
    uint32_t reserved;
    td_status (*create)(const td_host*, const td_context*, void** self, td_error*);
    /* [blocking] TD_DENIED refuses, with the reason for the client. May be null. */
    td_status (*admit)(void* self, int32_t action, const td_stream_info*, td_error*);
    /* [blocking] At least once each; a retryable failure is tried again later. May be null. */
    td_status (*event)(void* self, const td_event*, td_error*);
    void (*destroy)(void* self);
} td_hook;

/* ----------------------------------------------------------------------------------------- the descriptor ---- */

/* td_key.type. A bare number of a size counts bytes, of a duration what `unit` says. */
enum { TD_TEXT = 1, TD_INTEGER = 2, TD_BOOLEAN = 3, TD_SIZE = 4, TD_DURATION = 5, TD_CHOICE = 6, TD_PATH = 7 };

enum {
    TD_KEY_REQUIRED = 1u, /* no default; without it the plugin is off unless enabled by name */
    TD_KEY_SECRET = 2u,   /* masked wherever settings are shown */
    TD_KEY_RELOAD = 4u,   /* may change under SIGHUP; read it at each use */
    TD_KEY_RECORDING = 8u /* rules and REST may set it for one recording */
};

typedef struct td_key {
    uint32_t size;
    uint32_t type;
    uint32_t flags;
    uint32_t reserved;
    const char* name;     /* short: the full one is `<kind>.<id>.<name>` */
    const char* alias;    /* Flashphoner's flat name, or null */
    const char* fallback; /* the default, written as in the file; paths are relative to the home folder */
    const char* choices;  /* TD_CHOICE: `a|b|c` */
    const char* doc;      /* one line */
    const char* unit;     /* of a bare number of a duration: `ms`, `s`, `min`, `h`; null: `s` */
    int64_t min, max;     /* in bytes, microseconds or as is; equal: no limits */
} td_key;

typedef struct td_extension {
    uint32_t size;
    uint32_t key_count;
    const char* interface_id; /* TD_KIND_* */
    const char* id;           /* what operators write: `mp4` */
    const char* doc;          /* one line */
    const td_key* const* keys;
    const void* table; /* td_protocol, td_writer, ... */
} td_extension;

typedef struct td_plugin {
    uint32_t size;
    uint32_t sdk_major, sdk_minor;
    uint32_t needs_minor;
    const char* name;
    const char* version;
    const char* vendor;
    const char* license;
    const char* doc;
    const td_extension* const* extensions;
    size_t extension_count;
} td_plugin;

/* The one exported symbol of a plugin: a constant `td_plugin` of this name. */
#define TD_ENTRY_SYMBOL_PREFIX "tapedeck_plugin_v"
#define TD_ENTRY tapedeck_plugin_v0

#ifdef __cplusplus
}
#endif
#endif
