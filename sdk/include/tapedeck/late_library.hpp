// A library that is loaded when it is first needed, for what costs every server memory and only some use.
#pragma once

#include <dlfcn.h>

#include <string>
#include <utility>

#include "tapedeck/context.hpp"

namespace tapedeck {

/// Stays loaded for good: libraries that keep threads or static data do not survive being unloaded. Thread-safe.
class LateLibrary {
public:
    /// [blocking] `file` as in dlopen(3), with its version, such as "libavformat.so.59". Throws Error (TD_UNSUPPORTED)
    /// when it is not there or cannot be loaded.
    explicit LateLibrary(std::string file) : file_(std::move(file)), handle_(::dlopen(file_.c_str(), RTLD_NOW)) {
        if (handle_ == nullptr) throw Error(TD_UNSUPPORTED, std::string(::dlerror()) + "; install it and try again");
    }

    /// The function of this name, out of it or of a library that it needs. Throws Error (TD_UNSUPPORTED).
    template <class Function>
    void bind(const char* name, Function& function) const {
        function = reinterpret_cast<Function>(::dlsym(handle_, name));
        if (function == nullptr) throw Error(TD_UNSUPPORTED, file_ + " lacks the function " + name);
    }

private:
    std::string file_;
    void* handle_;
};

}  // namespace tapedeck
