#include "store/places.hpp"

namespace tapedeck::host {

std::shared_ptr<const void> Places::hold() {
    const std::lock_guard lock(mutex_);
    ++holds_;
    return {this, [self = shared_from_this()](const void*) {
                const std::lock_guard ending(self->mutex_);
                if (--self->holds_ == 0) self->free_.notify_all();
            }};
}

bool Places::change(const std::function<void()>& move, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, patience, [&] { return holds_ == 0; })) return false;
    ++changes_;
    move();
    return true;
}

std::uint64_t Places::changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
}

}  // namespace tapedeck::host
