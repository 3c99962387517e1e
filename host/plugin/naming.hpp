// A naming plugin's instance, held by the host.
#pragma once

#include <string>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made on the control thread. `name` is [blocking] and may run on several threads at once.
class Naming {
public:
    explicit Naming(const Extension& extension);
    ~Naming();
    Naming(const Naming&) = delete;
    Naming& operator=(const Naming&) = delete;

    const Extension& extension() const { return extension_; }

    /// The stem as the plugin gives it: `/` for folders, no number, no extension; neither cleaned nor checked. Without
    /// TD_RECORDING_FINAL what is unknown is a gap such as `{endTime}`. At most 64 KiB, else TD_MALFORMED.
    std::string name(const td_recording& recording) const;

private:
    const Extension& extension_;
    const td_naming* table_;
    void* self_ = nullptr;
};

}  // namespace tapedeck::host
