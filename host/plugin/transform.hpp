// A transform of one track into another codec, held by the host.
#pragma once

#include <cstdint>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made for one track; what comes out goes to `out`. Not thread-safe; one call at a time on any thread ([stream]).
class Transform {
public:
    /// Whether the extension can turn `in` into `codec`, or even must: TD_TRANSFORM_*. `options` may be null. [any]
    static std::int32_t accepts(const Extension& extension, const td_options* options, const td_track& in,
                                std::uint32_t codec);

    /// `wanted`: see td_transform. `out` must outlive this object, `options`, which may be null, too.
    Transform(const Extension& extension, const td_options* options, const td_track& in, const td_track& wanted,
              td_sink& out);
    ~Transform();
    Transform(const Transform&) = delete;
    Transform& operator=(const Transform&) = delete;

    const Extension& extension() const { return extension_; }

    void push(const td_packet& packet);
    /// What is held back comes out.
    void flush();

private:
    const Extension& extension_;
    const td_transform* table_;
    void* self_ = nullptr;
};

}  // namespace tapedeck::host
