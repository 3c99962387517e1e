// A declared setting: one line beside the code that reads it gives the default, the start-up check and the reference.
#pragma once

#include <cstdint>

#include "tapedeck/abi.h"

namespace tapedeck {

/// A constant td_key built by chained calls: `Key::duration("idle", "60s").alias("rtmp_idle").about("...")`.
struct Key : td_key {
    static constexpr Key text(const char* name, const char* fallback = "") { return make(TD_TEXT, name, fallback); }
    static constexpr Key integer(const char* name, const char* fallback) { return make(TD_INTEGER, name, fallback); }
    static constexpr Key boolean(const char* name, const char* fallback) { return make(TD_BOOLEAN, name, fallback); }
    /// Bytes; `64k`, `10M`, `1g` are binary.
    static constexpr Key bytes(const char* name, const char* fallback) { return make(TD_SIZE, name, fallback); }
    /// `500ms`, `15s`, `60min`, `1h`; a bare number counts seconds unless `per` says otherwise.
    static constexpr Key duration(const char* name, const char* fallback) { return make(TD_DURATION, name, fallback); }
    static constexpr Key choice(const char* name, const char* fallback, const char* choices) {
        Key key = make(TD_CHOICE, name, fallback);
        key.choices = choices;
        return key;
    }
    /// A file or folder; relative ones lie in the home folder.
    static constexpr Key path(const char* name, const char* fallback) { return make(TD_PATH, name, fallback); }

    constexpr Key about(const char* text) const {
        Key k = *this;
        k.doc = text;
        return k;
    }
    /// Flashphoner's flat name for it.
    constexpr Key aka(const char* flat) const {
        Key k = *this;
        k.alias = flat;
        return k;
    }
    /// What a bare number counts: `ms`, `s`, `min`, `h`.
    constexpr Key per(const char* unit_name) const {
        Key k = *this;
        k.unit = unit_name;
        return k;
    }
    /// Inclusive limits, in bytes, microseconds or as is.
    constexpr Key within(std::int64_t low, std::int64_t high) const {
        Key k = *this;
        k.min = low;
        k.max = high;
        return k;
    }
    constexpr Key required() const {
        Key k = *this;
        k.flags |= TD_KEY_REQUIRED;
        return k;
    }
    constexpr Key secret() const {
        Key k = *this;
        k.flags |= TD_KEY_SECRET;
        return k;
    }
    constexpr Key reload() const {
        Key k = *this;
        k.flags |= TD_KEY_RELOAD;
        return k;
    }
    constexpr Key per_recording() const {
        Key k = *this;
        k.flags |= TD_KEY_RECORDING;
        return k;
    }

private:
    static constexpr Key make(std::uint32_t type, const char* name, const char* fallback) {
        Key key{};
        key.size = sizeof(td_key);
        key.type = type;
        key.name = name;
        key.fallback = fallback;
        key.doc = "";
        return key;
    }
};

}  // namespace tapedeck
