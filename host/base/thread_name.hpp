// Names that `top -H` and debuggers show.
#pragma once

#include <pthread.h>

namespace tapedeck::host {

/// Names the calling thread; at most 15 characters. Threads that it starts inherit the name.
inline void name_thread(const char* name) {
    pthread_setname_np(pthread_self(), name);
}

}  // namespace tapedeck::host
