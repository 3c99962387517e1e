#include "app/signals.hpp"

#include <pthread.h>

#include <csignal>

namespace tapedeck::host {
namespace {

sigset_t held() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

}  // namespace

void hold_signals() {
    const sigset_t set = held();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

Signal wait_for_signal() {
    const sigset_t set = held();
    int number = 0;
    while (sigwait(&set, &number) != 0) {
    }
    return number == SIGHUP ? Signal::Reload : Signal::Stop;
}

}  // namespace tapedeck::host
