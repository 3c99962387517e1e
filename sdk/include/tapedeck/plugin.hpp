// C++ for plugin authors: derive from a kind, declare `id` and `doc`, end the file with TAPEDECK_PLUGIN.
//
// Everything an author's class does may throw; nothing leaves the plugin as an exception. Every class has
//     static constexpr const char *id, *doc;                    and, where it has settings,
//     static constexpr std::array keys{Key::..., ...};
// and is constructed from a Context (a Transform and a Reader from more, as said there). Threads: see abi.h.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"
#include "tapedeck/context.hpp"
#include "tapedeck/file.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck {

/// An ingest. `void reload()` may be added: RELOAD settings or files have changed.
class Protocol {
public:
    virtual ~Protocol() = default;
    virtual void start() = 0;
    virtual void stop() = 0;
};

/// Packets of one track in, packets out. Constructed as T(Context, const td_track& in, const td_track& wanted, Sink
/// out); needs `static std::int32_t accepts(Context, const td_track& in, std::uint32_t codec)`, which gives
/// TD_TRANSFORM_*. Both contexts have the recording's own settings. `void flush()` may be added.
class Transform {
public:
    virtual ~Transform() = default;
    virtual void push(const td_packet& packet) = 0;
};

/// A container. Needs static `extension`, `mime` and `codecs` (std::array of codec numbers). May add
/// `void track(const td_track&)` and `void recover(File, const td_recording&, Recovered&)`.
class Writer {
public:
    virtual ~Writer() = default;
    virtual void open(File file, const td_recording& recording, std::span<const td_track* const> tracks) = 0;
    virtual void write(const td_packet& packet) = 0;
    virtual void flush() = 0;
    virtual void finish() = 0;
};

/// What `recover` found in a torn file.
struct Recovered {
    std::int64_t duration_us = TD_NO_TIME;
    std::uint64_t packets = 0;
    std::string memo;
};

/// Looks into one file. Constructed as T(Context, File). Needs static `extension`; may add
/// `void cut(std::int64_t from_us, std::int64_t to_us, bool exact, File target)` and `void inspect(File json)`.
class Reader {
public:
    virtual ~Reader() = default;
};

class Naming {
public:
    virtual ~Naming() = default;
    virtual std::string name(const td_recording& recording) = 0;
};

/// Where finished files go. `std::string folder(const td_recording*)` may be added: files lie in a local folder.
class Storage {
public:
    virtual ~Storage() = default;
    /// Gives the uri of the stored file.
    virtual std::string put(const td_recording& recording, std::string_view key, bool replace) = 0;
    virtual void remove(std::string_view key) = 0;
};

/// Told about recordings. May add `void admit(int action, const td_stream_info&)`, which throws Error(TD_DENIED, why),
/// and `void event(const td_event&)`.
class Hook {
public:
    virtual ~Hook() = default;
};

namespace detail {

template <class T>
std::size_t copy_text(const T& text, char* into, std::size_t room) {
    if (room != 0) std::copy_n(text.data(), std::min(room, text.size()), into);
    return text.size();
}

template <class T>
struct [[gnu::visibility("hidden")]] Made {
    using Class = T;
    static td_status create(const td_host* host, const td_context* context, void** self, td_error* error) {
        return guard(error, [&] { *self = new T(Context(host, context)); });
    }
    static void destroy(void* self) {
        delete static_cast<T*>(self);
    }
    static T& of(void* self) {
        return *static_cast<T*>(self);
    }
};

template <class T>
struct Table;

template <std::derived_from<Protocol> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_PROTOCOL;
    static td_status start(void* self, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).start(); });
    }
    static td_status reload(void* self, td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t) { t.reload(); }) Made<T>::of(self).reload();
        });
    }
    static td_status stop(void* self, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).stop(); });
    }
    static constexpr td_protocol value{sizeof(td_protocol), 0, &Made<T>::create, &start, &reload, &stop,
                                       &Made<T>::destroy};
};

template <std::derived_from<Transform> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_TRANSFORM;
    static std::int32_t accepts(const td_host* host, const td_context* context, const td_options* options,
                                const td_track* in, std::uint32_t codec) {
        std::int32_t answer = TD_TRANSFORM_NO;
        const td_status status =
            guard(nullptr, [&] { answer = T::accepts(Context(host, context, options), *in, codec); });
        return status == TD_OK ? answer : TD_TRANSFORM_NO;
    }
    static td_status create(const td_host* host, const td_context* context, const td_options* options,
                            const td_track* in, const td_track* wanted, td_sink* out, void** self, td_error* error) {
        return guard(error, [&] { *self = new T(Context(host, context, options), *in, *wanted, Sink(out)); });
    }
    static td_status push(void* self, const td_packet* packet, td_error* error) {
        return guard(error, [&] {
            if (packet != nullptr) {
                Made<T>::of(self).push(*packet);
            } else if constexpr (requires(T & t) { t.flush(); }) {
                Made<T>::of(self).flush();
            }
        });
    }
    static constexpr td_transform value{sizeof(td_transform), 0, &accepts, &create, &push, &Made<T>::destroy};
};

template <std::derived_from<Writer> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_WRITER;
    static td_status open(void* self, td_file* file, const td_recording* recording, const td_track* const* tracks,
                          std::size_t count, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).open(File(file), *recording, {tracks, count}); });
    }
    static td_status track(void* self, const td_track* track, td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t) { t.track(*track); }) {
                Made<T>::of(self).track(*track);
            } else {
                throw Error(TD_UNSUPPORTED, "tracks are known when the file is opened");
            }
        });
    }
    static td_status write(void* self, const td_packet* packet, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).write(*packet); });
    }
    static td_status flush(void* self, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).flush(); });
    }
    static td_status finish(void* self, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).finish(); });
    }
    static td_status recover(void* self, td_file* file, const td_recording* recording, td_recovered* out,
                             td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t, Recovered & r) { t.recover(File(file), *recording, r); }) {
                Recovered found;
                Made<T>::of(self).recover(File(file), *recording, found);
                out->duration_us = found.duration_us;
                out->packets = found.packets;
                out->memo_size = static_cast<std::uint32_t>(copy_text(found.memo, out->memo, out->memo_size));
            } else {
                throw Error(TD_UNSUPPORTED, "torn files cannot be recovered");
            }
        });
    }
    static constexpr auto codecs = T::codecs;  // a copy, as Keys makes them
    static constexpr td_writer value{sizeof(td_writer),
                                     static_cast<std::uint32_t>(codecs.size()),
                                     T::extension,
                                     T::mime,
                                     codecs.data(),
                                     &Made<T>::create,
                                     &open,
                                     &track,
                                     &write,
                                     &flush,
                                     &finish,
                                     &recover,
                                     &Made<T>::destroy};
};

template <std::derived_from<Reader> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_READER;
    static td_status create(const td_host* host, const td_context* context, td_file* file, void** self,
                            td_error* error) {
        return guard(error, [&] { *self = new T(Context(host, context), File(file)); });
    }
    static td_status cut(void* self, std::int64_t from_us, std::int64_t to_us, std::uint32_t flags, td_file* target,
                         td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t) { t.cut(from_us, to_us, true, File(target)); }) {
                Made<T>::of(self).cut(from_us, to_us, (flags & TD_CUT_EXACT) != 0, File(target));
            } else {
                throw Error(TD_UNSUPPORTED, "parts of this format cannot be cut");
            }
        });
    }
    static td_status inspect(void* self, td_file* json, td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t) { t.inspect(File(json)); }) {
                Made<T>::of(self).inspect(File(json));
            } else {
                throw Error(TD_UNSUPPORTED, "nothing is known about files of this format");
            }
        });
    }
    static constexpr td_reader value{sizeof(td_reader), 0, T::extension, &create, &cut, &inspect, &Made<T>::destroy};
};

template <std::derived_from<Naming> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_NAMING;
    static td_status name(void* self, const td_recording* recording, char* into, std::size_t room, std::size_t* written,
                          td_error* error) {
        return guard(error, [&] { *written = copy_text(Made<T>::of(self).name(*recording), into, room); });
    }
    static constexpr td_naming value{sizeof(td_naming), 0, &Made<T>::create, &name, &Made<T>::destroy};
};

template <std::derived_from<Storage> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_STORAGE;
    static td_status folder(void* self, const td_recording* recording, char* into, std::size_t room,
                            std::size_t* written, td_error* error) {
        return guard(error, [&] {
            if constexpr (requires(T & t) { t.folder(recording); }) {
                *written = copy_text(std::string(Made<T>::of(self).folder(recording)), into, room);
            } else {
                throw Error(TD_UNSUPPORTED, "its files lie in no local folder");
            }
        });
    }
    static td_status put(void* self, const td_recording* recording, td_text key, std::uint32_t flags, char* uri,
                         std::size_t room, std::size_t* written, td_error* error) {
        return guard(error, [&] {
            const bool replace = (flags & TD_PUT_REPLACE) != 0;
            *written = copy_text(Made<T>::of(self).put(*recording, view(key), replace), uri, room);
        });
    }
    static td_status remove(void* self, td_text key, td_error* error) {
        return guard(error, [&] { Made<T>::of(self).remove(view(key)); });
    }
    static constexpr td_storage value{sizeof(td_storage), 0, &Made<T>::create, &folder, &put, &remove,
                                      &Made<T>::destroy};
};

template <std::derived_from<Hook> T>
struct [[gnu::visibility("hidden")]] Table<T> : Made<T> {
    static constexpr const char* interface_id = TD_KIND_HOOK;
    static constexpr bool admits = requires(T & t, const td_stream_info& info) {
        t.admit(1, info);
    };
    static constexpr bool listens = requires(T & t, const td_event& event) {
        t.event(event);
    };
    static td_status admit(void* self, std::int32_t action, const td_stream_info* info, td_error* error) {
        return guard(error, [&] {
            if constexpr (admits) Made<T>::of(self).admit(action, *info);
        });
    }
    static td_status event(void* self, const td_event* event, td_error* error) {
        return guard(error, [&] {
            if constexpr (listens) Made<T>::of(self).event(*event);
        });
    }
    static constexpr td_hook value{
        sizeof(td_hook), 0, &Made<T>::create, admits ? &admit : nullptr, listens ? &event : nullptr, &Made<T>::destroy};
};

template <class T>
struct [[gnu::visibility("hidden")]] Keys {
    static constexpr std::size_t count = [] {
        if constexpr (requires { T::keys.size(); }) return T::keys.size();
        return std::size_t{0};
    }();
    // Copies: a static member of the author's class is one in the whole process when two plugins, built without the
    // SDK's flags, have a class of the same name.
    static constexpr auto copies = [] {
        if constexpr (requires { T::keys.size(); })
            return T::keys;
        else
            return std::array<td_key, 0>{};
    }();
    static constexpr auto pointers = [] {
        std::array<const td_key*, count + 1> all{};
        for (std::size_t i = 0; i < count; ++i) all[i] = &copies[i];
        return all;
    }();
};

template <class T>
struct [[gnu::visibility("hidden")]] Extension {
    static constexpr td_extension value{sizeof(td_extension),
                                        static_cast<std::uint32_t>(Keys<T>::count),
                                        Table<T>::interface_id,
                                        T::id,
                                        T::doc,
                                        Keys<T>::pointers.data(),
                                        &Table<T>::value};
};

template <class... Classes>
struct [[gnu::visibility("hidden")]] Extensions {
    static constexpr std::array<const td_extension*, sizeof...(Classes)> value{&Extension<Classes>::value...};
};

}  // namespace detail
}  // namespace tapedeck

/// The one exported symbol: TAPEDECK_PLUGIN(name, version, vendor, license, doc, Class, ...)
#define TAPEDECK_PLUGIN(name, version, vendor, license, doc, ...)                                                \
    extern "C" [[gnu::visibility("default")]] const td_plugin TD_ENTRY;                                          \
    const td_plugin TD_ENTRY {                                                                                   \
        sizeof(td_plugin), TD_SDK_MAJOR, TD_SDK_MINOR, TD_SDK_TARGET_MINOR, name, version, vendor, license, doc, \
            ::tapedeck::detail::Extensions<__VA_ARGS__>::value.data(),                                           \
            ::tapedeck::detail::Extensions<__VA_ARGS__>::value.size()                                            \
    }
